"""Keeps where devices were, and tells it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from messaging.model.message import DeviceReport
from messaging.store.accept.context import BatchContext
from messaging.store.db.connection import guard
from messaging.store.models import Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    """Where a device was and how it fared, for tables and `--json`. Degrees, metres, percent; None where not said."""

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


def write_positions(beacons: Sequence[DeviceReport], facts: BatchContext, now: datetime) -> None:
    """Keep what devices of ours said about themselves: one statement. What is known already stays as it is."""
    if beacons:
        Sighting.objects.bulk_create(_rows(beacons, facts, now), ignore_conflicts=True)


def _rows(
    beacons: Sequence[DeviceReport], facts: BatchContext, now: datetime
) -> Iterable[Sighting]:
    for beacon in beacons:
        author = facts.sender_device(beacon.sender, beacon.via)
        if author is not None:
            yield _row(beacon, author.device_id, now)


def _row(beacon: DeviceReport, device_id: int, now: datetime) -> Sighting:
    position = beacon.position
    moment = (position.at if position else None) or beacon.at
    return Sighting(
        id=beacon.id,
        device_id=device_id,
        at=moment or now,
        latitude=position.latitude if position else None,
        longitude=position.longitude if position else None,
        altitude_meters=position.altitude_meters if position else None,
        accuracy_meters=position.accuracy_meters if position else None,
        battery_percent=beacon.battery_percent,
        sos=beacon.sos.value if beacon.sos else "",
    )


@guard
def list_positions(
    *, serial: str | None = None, owner: str | None = None, limit: int
) -> list[PositionRow]:
    """Return the newest sightings, of one device or of all of one subscriber's if that is asked for: one query."""
    rows = Sighting.objects.select_related("device__owner").order_by("-at")
    if serial is not None:
        rows = rows.filter(device__serial=serial.strip())
    if owner is not None:
        rows = rows.filter(device__owner__name=owner)
    return [_shown(row) for row in rows[:limit]]


def _shown(row: Sighting) -> PositionRow:
    return PositionRow(
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
