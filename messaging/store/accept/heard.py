"""Notes when each device was heard last: messages for its owner go to the one that was heard last."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from messaging.model.message import Address
from messaging.store.accept.context import BatchContext
from messaging.store.accept.decide import Decision
from messaging.store.models import Device

STEP: Final = timedelta(minutes=1)
"""The precision of the time: a device that sends much changes its row once in a while only."""


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
        stale = Q(heard_at=None) | Q(heard_at__lt=now - STEP)
        Device.objects.filter(stale, id__in=sorted(devices)).update(heard_at=now)
