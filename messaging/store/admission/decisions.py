"""The decisions of an owner about a held message: release it, allow its author, or block the author.

Every function raises Unavailable when the store is away.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.db.models import Q, QuerySet

from messaging.config.settings import Settings
from messaging.model.address_syntax import MAX_NAME_CHARACTERS, subscriber_name
from messaging.model.authentication import AuthorLevel
from messaging.store.admission.terms import MayWrite
from messaging.store.db.connection import guard
from messaging.store.models import (
    BlockedAuthor,
    Contact,
    ContactAddress,
    Delivery,
    Message,
    Subscriber,
)
from messaging.store.models.fields import contact_address
from messaging.store.queue import operator_actions
from messaging.store.states import State


class Choice(StrEnum):
    """The choices of an owner about a held message."""

    RELEASE = "release"
    ALLOW = "allow"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class HeldMessage:
    """A message as the page about it shows it. `is_held` is false once it was decided about, or has expired."""

    id: str
    owner: str
    author: str
    author_level: str
    subject: str
    text: str
    reason: str
    received_at: datetime
    is_held: bool


@guard
def find_held(message_id: str) -> HeldMessage | None:
    """Return the message to a subscriber; None when there is none of that id."""
    message = Message.objects.select_related("subscriber").filter(id=message_id).first()
    row = Delivery.objects.filter(message_id=message_id).order_by("id").first()
    if message is None or message.subscriber is None or row is None:
        return None
    return HeldMessage(
        id=message.id,
        owner=message.subscriber.name,
        author=message.sender,
        author_level=message.author_level,
        subject=message.subject,
        text=message.text,
        reason=row.reason,
        received_at=message.created_at,
        is_held=row.state == State.HELD,
    )


@guard
def decide(message_id: str, choice: Choice, settings: Settings, now: datetime) -> int:
    """Carry out a decision; return how many deliveries it released or refused.

    To allow makes the author a contact and releases what else is held of the author, as far as it is sure who wrote it;
    to block refuses all. A repeat changes nothing.
    """
    with transaction.atomic():
        related = ("subscriber", "device__owner")
        message = Message.objects.select_related(*related).get(id=message_id)
        own = Delivery.objects.filter(message_id=message_id, state=State.HELD)
        if choice is Choice.RELEASE:
            return operator_actions.release(own, settings, now).released
        owner = message.subscriber
        if owner is None or not own.exists():
            return 0
        address, of_author = _find_held_of_author(message, owner, settings)
        if choice is Choice.BLOCK:
            BlockedAuthor.objects.get_or_create(owner=owner, address=address.lower())
            return operator_actions.refuse(of_author, now)
        _allow(address, owner)
        # Another may have written messages that pretend to be the author's: they stay held. So do rests of texts, about
        # which their author decides.
        sure = [level for level in AuthorLevel if level.names_author]
        of_author = of_author.filter(message__author_level__in=sure, rest_characters=0)
        # A budget may have no room for all.
        first = operator_actions.release(own, settings, now)
        others = operator_actions.release(of_author.exclude(message_id=message_id), settings, now)
        return first.released + others.released


def _find_held_of_author(
    message: Message, owner: Subscriber, settings: Settings
) -> "tuple[str, QuerySet[Delivery]]":
    """Return the address of the author as the rules compare it, and the held deliveries of the author to this owner.

    A device stands for its owner, under the mailbox.
    """
    held = Delivery.objects.filter(message__subscriber=owner, state=State.HELD)
    if message.device is not None:
        address = f"{message.device.owner.name}@{settings.mail_domain}"
        return address, held.filter(message__device__owner=message.device.owner)
    address = contact_address(message.sender) or message.sender
    return address, held.filter(message__sender__iexact=message.sender)


def _allow(address: str, owner: Subscriber) -> None:
    """Let the contact with that address write for ever; without one, add one under a free name of the mailbox."""
    contacts = Contact.objects.filter(owner=owner)
    further = ContactAddress.objects.filter(contact__owner=owner, address__iexact=address)
    known = contacts.filter(Q(address__iexact=address) | Q(id__in=further.values("contact_id")))
    if known.exists():
        known.update(may_write=MayWrite.ALWAYS.value, write_until=None)
        return
    plain = re.sub(r"[^a-z0-9._-]", "", address.partition("@")[0].lower()).strip(".-_")
    name = subscriber_name(plain[: MAX_NAME_CHARACTERS - 8]) or "contact"
    taken = set(contacts.filter(name__startswith=name).values_list("name", flat=True))
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    free = name if name not in taken else next(one for one in numbered if one not in taken)
    Contact.objects.create(owner=owner, name=free, address=address)
