"""Replaces the times in the future that devices claim: the time of receipt counts instead. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from messaging.model.message import DeviceReport, DeviceText, Message

TOLERANCE: Final = timedelta(minutes=10)
"""How far the clock of a device, or of its network, may be ahead of this gateway's."""

R = TypeVar("R", Message, DeviceText, DeviceReport)


def replace_future_times(record: R, now: datetime) -> R:
    """Return the record of a device with the time of receipt in place of each time in the future.

    A device report keeps the claimed time. Every network is the same here: no provider checks the clock of a device.
    """
    position = record.position
    if position is not None and _is_future(position.at, now):
        position = replace(position, at=now)
    if isinstance(record, DeviceReport):
        claimed = [record.at, record.position.at if record.position else None]
        claimed_at = max((at for at in claimed if at and _is_future(at, now)), default=None)
        if claimed_at is not None:
            at = now if _is_future(record.at, now) else record.at
            return replace(record, position=position, at=at, claimed_at=claimed_at)
    return record if position is record.position else replace(record, position=position)


def _is_future(at: datetime | None, now: datetime) -> bool:
    return at is not None and at > now + TOLERANCE
