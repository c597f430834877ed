"""Keeps where devices were. Import after `open_store`."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from messaging.message import Beacon
from messaging.users.models import Sighting
from messaging.users.policy import Facts


def write_sightings(beacons: Sequence[Beacon], facts: Facts, now: datetime) -> None:
    """Keep what devices of ours said about themselves: one statement. What is known already stays as it is."""
    if beacons:
        Sighting.objects.bulk_create(_rows(beacons, facts, now), ignore_conflicts=True)


def _rows(beacons: Sequence[Beacon], facts: Facts, now: datetime) -> Iterable[Sighting]:
    for beacon in beacons:
        author = facts.author(beacon.sender, beacon.via)
        if author is not None:
            yield _row(beacon, author.device_id, now)


def _row(beacon: Beacon, device_id: int, now: datetime) -> Sighting:
    position = beacon.position
    moment = (position.at if position else None) or beacon.at
    return Sighting(
        id=beacon.id,
        device_id=device_id,
        at=moment or now,
        latitude=position.latitude if position else None,
        longitude=position.longitude if position else None,
        altitude_meters=position.altitude_meters if position else None,
        battery_percent=beacon.battery_percent,
        sos=beacon.sos.value if beacon.sos else "",
    )
