"""Keeps the list of phones that opted out of messages from a number of ours."""

from collections.abc import Mapping
from datetime import datetime

from messaging.model.message import Network
from messaging.store.models import PENDING, Delivery, OptOut
from messaging.store.queue.operator_actions import cancel, refuse

Pair = tuple[str, str]
"""A phone, and the number of ours that it wrote to."""

STOPPED = "cancelled because the recipient asked not to get messages (STOP)"


def write_opt_outs(wishes: Mapping[Pair, bool], now: datetime) -> list[int]:
    """Set or clear the opt-out of every pair, and end the deliveries that wait for a phone that said STOP.

    Cancels those that wait, and refuses those that are held. Returns the ids of both: their bookings are to be settled
    last in the transaction. A repeated wish changes nothing.
    """
    ids: list[int] = []
    out = {pair for pair, allowed in wishes.items() if not allowed}
    back = {pair for pair, allowed in wishes.items() if allowed}
    if out:
        rows = (OptOut(peer=peer, number=number, since=now) for peer, number in sorted(out))
        OptOut.objects.bulk_create(rows, ignore_conflicts=True)
        pending = Delivery.objects.filter(
            PENDING,
            is_urgent=False,
            recipient_network=Network.SMS.value,
            recipient__in={peer for peer, _ in out},
        )
        found = pending.values_list("id", "recipient", "sender")
        ids = [number for number, *pair in found if tuple(pair) in out]
        if ids:
            ended = Delivery.objects.filter(id__in=ids)
            cancel(ended, now, STOPPED, by_operator=False, settles=False)
            refuse(ended, now, STOPPED, by_operator=False)
    if back:
        stored = OptOut.objects.filter(peer__in={peer for peer, _ in back})
        pairs = stored.values_list("id", "peer", "number")
        gone = [number for number, *pair in pairs if tuple(pair) in back]
        OptOut.objects.filter(id__in=gone).delete()
    return ids
