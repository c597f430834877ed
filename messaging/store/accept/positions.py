"""Stores and lists the positions and battery levels that devices report, and when each was heard last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Q
from django.utils import timezone

from messaging.model.message import Address, DeviceReport
from messaging.store.accept.claimed_times import TOLERANCE
from messaging.store.accept.context import BatchContext
from messaging.store.accept.decide import Decision
from messaging.store.db.connection import guard
from messaging.store.models import Device, DevicePosition

HEARD_STEP: Final = timedelta(minutes=1)
"""The precision of the time at which a device was heard: one that sends much changes its row once in a while only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    """One report of a device, for tables and `--json`. Degrees, metres, percent; None where not reported.

    `claimed_at` is the impossible time that the device gave; `at` is the time of receipt then.
    """

    network: str
    serial: str
    owner: str
    at: datetime
    claimed_at: datetime | None
    latitude: float | None
    longitude: float | None
    altitude_meters: float | None
    accuracy_meters: float | None
    battery_percent: int | None
    battery_low: bool | None
    sos: str


def write_positions(reports: Sequence[DeviceReport], context: BatchContext, now: datetime) -> None:
    """Insert the reports of registered devices: one statement. A stored report stays as it is."""
    rows = []
    for report in reports:
        device = context.sender_device(report.sender, report.via)
        if device is None:
            continue
        position = report.position
        rows.append(
            DevicePosition(
                id=report.id,
                device_id=device.device_id,
                at=(position.at if position else None) or report.at or now,
                claimed_at=report.claimed_at,
                latitude=position.latitude if position else None,
                longitude=position.longitude if position else None,
                altitude_meters=position.altitude_meters if position else None,
                accuracy_meters=position.accuracy_meters if position else None,
                battery_percent=report.battery_percent,
                battery_low=report.battery_low,
                sos=report.sos.value if report.sos else "",
            )
        )
    for row in rows:
        row.hide_numbers()
    DevicePosition.objects.bulk_create(rows, ignore_conflicts=True)


def note_heard(decisions: Sequence[Decision], context: BatchContext, now: datetime) -> None:
    """Note the devices that accepted records come from: one statement, none for a batch without them."""
    devices = set()
    for one in decisions:
        parts = (one.routed and one.routed.message, one.report, one.record)
        for part in parts if one.error is None else ():
            sender: Address | None = getattr(part, "sender", None)
            device = context.sender_device(sender, getattr(part, "via", "")) if sender else None
            devices |= {device.device_id} if device else set()
    if devices:
        stale = Q(heard_at=None) | Q(heard_at__lt=now - HEARD_STEP)
        Device.objects.filter(stale, id__in=sorted(devices)).update(heard_at=now)


@guard
def list_positions(
    *, serial: str | None = None, owner: str | None = None, limit: int, now: datetime | None = None
) -> list[PositionRow]:
    """Return the newest reports, of one device or of one subscriber's devices where given: one query or two."""
    # Of two at the same time, the one whose time was claimed is the older one.
    newest_first = ("-at", F("claimed_at").desc(nulls_first=True))
    rows = DevicePosition.objects.select_related("device__owner").order_by(*newest_first)
    if serial is not None:
        rows = rows.filter(device__serial=serial.strip())
    if owner is not None:
        rows = rows.filter(device__owner__name=owner)
    # An older version that works beside this one may still store times in the future.
    latest = (now or timezone.now()) + TOLERANCE
    found = list(rows.filter(at__lte=latest)[:limit])
    if len(found) < limit:
        found += rows.filter(at__gt=latest)[: limit - len(found)]
    return [
        PositionRow(
            network=row.device.network,
            serial=row.device.serial,
            owner=row.device.owner.name,
            at=row.at,
            claimed_at=row.claimed_at,
            latitude=row.latitude,
            longitude=row.longitude,
            altitude_meters=row.altitude_meters,
            accuracy_meters=row.accuracy_meters,
            battery_percent=row.battery_percent,
            battery_low=row.battery_low,
            sos=row.sos,
        )
        for row in found
    ]
