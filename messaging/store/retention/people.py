"""Exports and erases the data of one subscriber or device, and removes them.

Every function raises InvalidInput for wrong input and Unavailable when the store is away.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Length

from messaging.store.audit.record import Action, record
from messaging.store.console.directory import find_device
from messaging.store.console.save import find_subscriber
from messaging.store.db.connection import guard
from messaging.store.models import (
    BlockedAuthor,
    Budget,
    Contact,
    ContactAddress,
    Correspondent,
    Delivery,
    DeliveryAttempt,
    Device,
    DevicePosition,
    HeldNote,
    Message,
    OptOut,
    OwnerMailbox,
)
from messaging.store.queue.operator_actions import cancel, refuse
from messaging.store.queue.removal import blank_addresses, delete_owner
from messaging.store.retention.quota import Kept, write_changes

PAGE_ROWS = 500
ATTEMPT_COLUMNS = ("delivery_id", "number", "began_at", "ended_at", "outcome", "reason", "units")
ERASED = "cancelled: the data of the subscriber or device was erased"


@dataclass(frozen=True, slots=True)
class Erasure:
    """The number of rows that were emptied or deleted, and of deliveries that were cancelled first."""

    messages: int
    positions: int
    contacts: int
    cancelled: int


@guard
def export(name: str) -> dict[str, Any]:
    """Return everything about a subscriber, as values of JSON: bytes in base64, times as they are.

    Each delivery has its attempts that have ended under `history`.
    """
    subscriber = find_subscriber(name)
    record(Action.EXPORT, "subscriber", subscriber.pk)
    found = _of_subscriber(name).order_by("created_at", "id").values()
    messages: list[dict[str, Any]] = [{**row} for row in found]
    deliveries: dict[str, list[dict[str, Any]]] = {}
    for page in _pages([row["id"] for row in messages]):
        history: dict[int, list[dict[str, Any]]] = {}
        attempts = DeliveryAttempt.objects.filter(delivery__message_id__in=page)
        for one in attempts.order_by("delivery_id", "number").values(*ATTEMPT_COLUMNS):
            history.setdefault(one.pop("delivery_id"), []).append({**one})
        for row in Delivery.objects.filter(message_id__in=page).order_by("id").values():
            exported = {**row, "history": history.get(row["id"], [])}
            deliveries.setdefault(row["message_id"], []).append(exported)
    for message in messages:
        raw = message["raw"]
        message["raw"] = None if raw is None else b64encode(bytes(raw)).decode()
        message["deliveries"] = deliveries.get(message["id"], [])
    positions = DevicePosition.objects.filter(device__owner=subscriber).order_by("at")
    is_own = Q(subscriber=subscriber) | Q(device__owner=subscriber) | Q(contact__owner=subscriber)
    return {
        "subscriber": _values(subscriber),
        "devices": list(subscriber.devices.order_by("id").values()),
        "contacts": list(subscriber.contacts.order_by("id").values()),
        "contact_addresses": list(
            ContactAddress.objects.filter(contact__owner=subscriber).order_by("id").values()
        ),
        "correspondents": list(subscriber.correspondents.order_by("id").values()),
        "blocked": list(subscriber.blocked.order_by("id").values()),
        "budgets": list(Budget.objects.filter(is_own).order_by("id").values()),
        "mailbox": OwnerMailbox.objects.filter(owner=subscriber).values().first(),
        "held_notes": list(subscriber.held_notes.order_by("id").values()),
        "opt_outs": list(OptOut.objects.filter(number=subscriber.number or "").values()),
        "positions": [_values(row, but="encrypted") for row in positions],
        "messages": messages,
    }


@guard
def erase(name: str, now: datetime) -> Erasure:
    """Empty the past of a subscriber: texts, addresses, positions and contacts. Cancels what still waits."""
    subscriber = find_subscriber(name)
    positions = DevicePosition.objects.filter(device__owner=subscriber)
    with transaction.atomic():
        record(Action.ERASE, "subscriber", subscriber.pk)
        contacts = Contact.objects.filter(owner=subscriber).delete()[1].get("users.Contact", 0)
        Correspondent.objects.filter(owner=subscriber).delete()
        BlockedAuthor.objects.filter(owner=subscriber).delete()
        OwnerMailbox.objects.filter(owner=subscriber).delete()
        HeldNote.objects.filter(owner=subscriber).delete()
    return _erase(_of_subscriber(name), positions, contacts, now)


@guard
def remove_subscriber(name: str, now: datetime) -> Erasure:
    """Erase a subscriber, and delete the registration with its devices. The emptied messages stay."""
    done = erase(name, now)
    subscriber = find_subscriber(name)
    with transaction.atomic():
        for device in Device.objects.filter(owner=subscriber):
            delete_owner(device)
        delete_owner(subscriber)
    return done


@guard
def remove_device(serial: str, network: str | None, now: datetime) -> Erasure:
    """Erase the messages to and from a device with its positions, and delete its registration."""
    device = find_device(serial, network)
    to_device = Q(pk__in=Delivery.objects.filter(device=device).values("message_id"))
    messages = Message.objects.filter(Q(device=device) | to_device)
    record(Action.ERASE, "device", device.pk, parent_id=device.owner_id)
    done = _erase(messages, DevicePosition.objects.filter(device=device), 0, now)
    delete_owner(device)
    return done


def _of_subscriber(name: str) -> "QuerySet[Message]":
    return Message.objects.filter(
        Q(subscriber__name=name.lower()) | Q(device__owner__name=name.lower())
    )


def _erase(
    messages: "QuerySet[Message]",
    positions: "QuerySet[DevicePosition]",
    contacts: int,
    now: datetime,
) -> Erasure:
    cancelled = number = 0
    ids = list(messages.order_by("created_at", "id").values_list("id", flat=True))
    for page in _pages(ids):
        deliveries = Delivery.objects.filter(message_id__in=page)
        cancelled += cancel(deliveries, now, ERASED).cancelled
        cancelled += refuse(deliveries, now, ERASED)
        with transaction.atomic():
            number += _empty(Message.objects.filter(id__in=page), deliveries, now)
    gone = 0
    for page in _pages(list(positions.order_by("id").values_list("id", flat=True))):
        gone += DevicePosition.objects.filter(id__in=page).delete()[0]
    return Erasure(number, gone, contacts, cancelled)


def _empty(messages: "QuerySet[Message]", deliveries: "QuerySet[Delivery]", now: datetime) -> int:
    dead = messages.filter(raw__isnull=False).order_by().values_list("subscriber")
    kept = dead.annotate(rows=Count("id"), bytes=Sum(Length("raw")))
    write_changes({owner: Kept(-rows, -bytes) for owner, rows, bytes in kept})
    blank_addresses(deliveries)
    return messages.update(
        sender="",
        recipient="",
        subject="",
        text="",
        whole_text="",
        raw=None,
        reason="",
        reference="",
        return_path="",
        answer_address="",
        author_reason="",
        failure=None,
        text_removed_at=now,
    )


def _pages(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), PAGE_ROWS):
        yield ids[start : start + PAGE_ROWS]


def _values(row: models.Model, but: str = "") -> dict[str, Any]:
    names = (one.attname for one in row._meta.concrete_fields if one.attname != but)
    return {name: getattr(row, name) for name in names}
