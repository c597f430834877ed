"""Keeps the list of phones that want nothing from a number of ours."""

from collections.abc import Mapping, Set
from datetime import datetime

from django.db.models import QuerySet

from messaging.model.message import Network
from messaging.store.models import WAITING, Delivery, OptOut
from messaging.store.queue.operator_actions import cancel

Pair = tuple[str, str]
"""A peer and the number of ours that it speaks about."""


STOPPED = "cancelled because the recipient asked not to get messages (STOP)"


def write_opt_outs(wishes: Mapping[Pair, bool], now: datetime) -> None:
    """Set or clear the opt-out of every pair, and call off what still waits for a phone that said STOP.

    Saying the same twice changes nothing.
    """
    out = [pair for pair, allowed in wishes.items() if not allowed]
    back = {pair for pair, allowed in wishes.items() if allowed}
    if out:
        _note_out(out, now)
        cancel(_still_waiting(set(out)), now, STOPPED)
    if back:
        stored = OptOut.objects.filter(peer__in={peer for peer, _ in back})
        rows = stored.values_list("id", "peer", "number")
        gone = [number for number, *pair in rows if tuple(pair) in back]
        OptOut.objects.filter(id__in=gone).delete()


def _note_out(pairs: list[Pair], now: datetime) -> None:
    OptOut.objects.bulk_create(
        (OptOut(peer=peer, number=number, since=now) for peer, number in sorted(pairs)),
        ignore_conflicts=True,
    )


def _still_waiting(pairs: Set[Pair]) -> "QuerySet[Delivery]":
    waiting = Delivery.objects.filter(
        WAITING,
        is_urgent=False,
        recipient_network=Network.SMS.value,
        recipient__in={peer for peer, _ in pairs},
    )
    rows = waiting.values_list("id", "recipient", "sender")
    return Delivery.objects.filter(id__in=[row[0] for row in rows if (row[1], row[2]) in pairs])
