"""Deletes deliveries that have ended, blanks their addresses, and takes them from a subscriber or device that goes."""

from collections.abc import Collection

from django.db.models import QuerySet

from messaging.store.models import PENDING, Delivery, DeliveryAttempt, Device, Subscriber
from messaging.store.states import IllegalTransition, State


def delete_deliveries(message_ids: Collection[str]) -> int:
    """Delete the deliveries of these messages with their parts; return how many rows went.

    Raises IllegalTransition, and deletes none, if one still waits or is held.
    """
    rows = Delivery.objects.filter(message_id__in=message_ids)
    _require_settled(rows)
    return rows.delete()[0]


def blank_addresses(rows: "QuerySet[Delivery]") -> int:
    """Empty the addresses, names and reasons of these deliveries; state, counts and charges stay.

    Raises IllegalTransition, and changes none, if one still waits or is held.
    """
    _require_settled(rows)
    DeliveryAttempt.objects.filter(delivery__in=rows.values("id")).update(reason="")
    names = {"sender": "", "recipient": "", "sender_name": "", "display_name": ""}
    return rows.update(**names, reason="", network_id="")


def _require_settled(rows: "QuerySet[Delivery]") -> None:
    if rows.filter(PENDING).exists():
        raise IllegalTransition(State.WAITING, State.CANCELLED)


def delete_owner(row: Subscriber | Device) -> None:
    """Delete a subscriber or a device with everything that belongs to it. Messages and deliveries stay, without it."""
    row.delete()
