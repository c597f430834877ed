"""Stores and lists the positions and battery levels that devices report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from messaging.model.message import DeviceReport
from messaging.store.accept.context import BatchContext
from messaging.store.db.connection import guard
from messaging.store.models import DevicePosition


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    """One report of a device, for tables and `--json`. Degrees, metres, percent; None where not reported."""

    network: str
    serial: str
    owner: str
    at: datetime
    latitude: float | None
    longitude: float | None
    altitude_meters: float | None
    accuracy_meters: float | None
    battery_percent: int | None
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
                latitude=position.latitude if position else None,
                longitude=position.longitude if position else None,
                altitude_meters=position.altitude_meters if position else None,
                accuracy_meters=position.accuracy_meters if position else None,
                battery_percent=report.battery_percent,
                sos=report.sos.value if report.sos else "",
            )
        )
    DevicePosition.objects.bulk_create(rows, ignore_conflicts=True)


@guard
def list_positions(
    *, serial: str | None = None, owner: str | None = None, limit: int
) -> list[PositionRow]:
    """Return the newest reports, of one device or of one subscriber's devices where given: one query."""
    rows = DevicePosition.objects.select_related("device__owner").order_by("-at")
    if serial is not None:
        rows = rows.filter(device__serial=serial.strip())
    if owner is not None:
        rows = rows.filter(device__owner__name=owner)
    return [
        PositionRow(
            network=row.device.network,
            serial=row.device.serial,
            owner=row.device.owner.name,
            at=row.at,
            latitude=row.latitude,
            longitude=row.longitude,
            altitude_meters=row.altitude_meters,
            accuracy_meters=row.accuracy_meters,
            battery_percent=row.battery_percent,
            sos=row.sos,
        )
        for row in rows[:limit]
    ]
