"""The choice of an author about the rest of a text that was longer than a device gets at once.

Every function raises Unavailable when the store is away.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from messaging.config.settings import Settings
from messaging.model.address_syntax import mailbox_spellings
from messaging.model.authentication import AuthorLevel
from messaging.store.admission.lookup import look_up_admission
from messaging.store.admission.rules import Author, admit
from messaging.store.admission.terms import SenderMode
from messaging.store.db.connection import guard
from messaging.store.models import Delivery, Message
from messaging.store.queue import operator_actions
from messaging.store.states import State

LEFT: Final = "its author left it at the first parts"
_SURE: Final = tuple(level.value for level in AuthorLevel if level.names_author)


class RestChoice(StrEnum):
    """The choices of an author about the rest of a text: send it, or leave it at the first parts."""

    SEND = "send"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class RestOfMessage:
    """The rest of a message as the page about it shows it. `is_held` is false once it was decided about, or is over."""

    recipient: str
    subject: str
    text: str
    is_held: bool


def may_spend(message: Message, now: datetime) -> bool:
    """Return whether the author may send more to the device now: a mail of an author who is sure and may write."""
    owner = message.subscriber
    if owner is None or not owner.is_active or message.author_level not in _SURE:
        return False
    addresses = tuple(one.lower() for one in mailbox_spellings(message.sender))
    author = Author(
        addresses=addresses,
        level=AuthorLevel(message.author_level),
        is_bulk=not message.takes_answers,
    )
    known = look_up_admission([owner.pk], addresses, [], now)
    return admit(author, owner.pk, SenderMode(owner.senders), known, now) is None


@guard
def find_rest(message_id: str) -> RestOfMessage | None:
    """Return the rest of a message; None for a message without one."""
    message = Message.objects.filter(id=message_id).first()
    row = _rests_of(message_id).order_by("id").first()
    if message is None or row is None:
        return None
    return RestOfMessage(
        recipient=message.recipient,
        subject=message.subject,
        text=message.text[-row.rest_characters :].lstrip(),
        is_held=row.state == State.HELD,
    )


@guard
def decide_rest(message_id: str, choice: RestChoice, settings: Settings, now: datetime) -> int:
    """Carry out the choice of the author; return how many deliveries it released or refused.

    Nothing is released for an author who may not write any more, or without room in the budgets. A repeat changes
    nothing.
    """
    with transaction.atomic():
        message = Message.objects.select_related("subscriber").get(id=message_id)
        rows = _rests_of(message_id).filter(state=State.HELD)
        if choice is RestChoice.LEAVE:
            return operator_actions.refuse(rows, now, LEFT)
        if not may_spend(message, now):
            return 0
        return operator_actions.release(rows, settings, now).released


def _rests_of(message_id: str) -> "QuerySet[Delivery]":
    return Delivery.objects.filter(message_id=message_id, rest_characters__gt=0)
