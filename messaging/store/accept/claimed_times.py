"""Replaces the impossible times that devices claim: the time of receipt counts instead. Pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from messaging.model.message import DeviceReport, DeviceText, Message

TOLERANCE: Final = timedelta(minutes=10)
"""How far the clock of a device, or of its network, may be ahead of this gateway's."""
EARLIEST: Final = datetime(2010, 1, 1, tzinfo=UTC)
"""An earlier time comes from a clock that was never set, or from one that lost count of the weeks of GPS."""

R = TypeVar("R", Message, DeviceText, DeviceReport)


def replace_impossible_times(record: R, now: datetime) -> R:
    """Return the record of a device with the time of receipt in place of each impossible time.

    A device report keeps the claimed time. Every network is the same here: no provider checks the clock of a device.
    """
    position = record.position
    if position is not None and _is_impossible(position.at, now):
        position = replace(position, at=now)
    if isinstance(record, DeviceReport):
        claimed = [record.at, record.position.at if record.position else None]
        claimed_at = max((at for at in claimed if at and _is_impossible(at, now)), default=None)
        if claimed_at is not None:
            at = now if _is_impossible(record.at, now) else record.at
            return replace(record, position=position, at=at, claimed_at=claimed_at)
    return record if position is record.position else replace(record, position=position)


def _is_impossible(at: datetime | None, now: datetime) -> bool:
    return at is not None and not EARLIEST <= at <= now + TOLERANCE
