"""Tells the other recipients of an emergency, once, that one of them was not reached."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from django.db import connection, transaction

from messaging.logs.records import details
from messaging.model.message import Network, message_id
from messaging.store.accept.emergency import SUBJECT
from messaging.store.accept.emergency_text import alarm_id
from messaging.store.db.encryption import UnknownKey
from messaging.store.models import Contact, Delivery, Message
from messaging.store.notices.notices import VIA
from messaging.store.queue.delivery_state import NEVER, DeliveryState, NewDelivery
from messaging.store.queue.enqueue import enqueue
from messaging.store.queue.next_state import SLOW_AFTER, is_late
from messaging.store.states import UNDELIVERED, State

log = logging.getLogger(__name__)

NOT_REACHED: Final = f"{SUBJECT}not reached: "
"""Begins the subject of every such message."""
NO_OTHER: Final = "an emergency has not reached a recipient, and there is no other one to tell"
_SEED: Final = "unreached"  # a part of stored ids, so it must never change
_GOES_ON: Final = "The gateway goes on trying, less and less often."
_ENDED: Final = "The gateway tries no more until its operator acts."
_ADVICE: Final = "Reach them in another way, or take charge yourself."


@dataclass(frozen=True, slots=True)
class _Unreached:
    """A delivery that has not arrived, the emergency and the message that it is about.

    `others` are the deliveries to the recipients to tell; None while the emergency has reached none of them.
    """

    row: DeliveryState
    emergency: str
    message: Message
    others: Sequence[Delivery] | None

    @property
    def id(self) -> str:
        return compose_unreached_id(self.emergency, self.row.recipient)


def compose_unreached_id(emergency: str, recipient: str) -> str:
    """Return the id of the message that says that this emergency has not reached the recipient: always the same."""
    return message_id(_SEED, emergency, recipient)


def enqueue_unreached(rows: Iterable[DeliveryState], now: datetime) -> int:
    """Write the messages about those of these deliveries that are urgent and late, or have failed.

    Returns how many need attention: those that are written about now, those that have failed, and those of an emergency
    that has reached no recipient yet. There is one message about each emergency and recipient, none about such a
    message, and none before there is a recipient who can be told. Runs no statement when no delivery is urgent and
    late, and otherwise a fixed number. Call it within the transaction that changed the rows.
    """
    late = {
        row.id: row
        for row in rows
        if row.is_urgent and (row.state in UNDELIVERED or is_late(row, now))
    }
    if not late:
        return 0
    found = _find(late, now)
    known = set(
        Message.objects.filter(id__in=[one.id for one in found]).values_list("id", flat=True)
    )
    # Two deliveries of one emergency may have the same recipient.
    new = {one.id: one for one in found if one.others is not None and one.id not in known}
    if new:
        names, subjects = _find_names(new.values()), _find_subjects(new.values())
        Message.objects.bulk_create(
            _message(one, names, subjects.get(one.message.id, ""), now) for one in new.values()
        )
    told = [_delivery(one, other) for one in new.values() for other in one.others or ()]
    enqueue(told, now)
    news = {one.row.id for one in found if one.id not in known}
    counted = [row for row in late.values() if row.state in UNDELIVERED or row.id in news]
    for row in counted:
        extra = details(message_id=row.message_id, delivery=row.id, reason=row.reason)
        message = "an emergency has not reached a recipient"
        transaction.on_commit(partial(log.critical, message, extra=extra))
    return len(counted)


def _find(late: Mapping[int, DeliveryState], now: datetime) -> list[_Unreached]:
    # A typed call for help has two messages: its own, and the one to the emergency contacts and operators.
    alarms = {row.message_id: alarm_id(row.message_id) for row in late.values()}
    messages = Message.objects.filter(id__in=[*alarms, *alarms.values()]).exclude(via=VIA)
    messages = messages.only("id", "subscriber_id").order_by("id")
    if connection.features.has_select_for_update:
        # Of two deliveries of one emergency that end at the same moment, the later one finds the message of the first.
        messages = messages.select_for_update(no_key=connection.vendor == "postgresql")
    stored = {one.id: one for one in messages}
    siblings = list(
        Delivery.objects.filter(message_id__in=stored)
        .exclude(recipient_network=Network.SATELLITE.value)
        .exclude(state__in=[*UNDELIVERED, State.CANCELLED])
        .order_by("id")
    )
    found = []
    for row in late.values():
        if row.message_id in stored:
            alarm = alarms[row.message_id]
            others = {
                (one.via, one.recipient): one
                for one in siblings
                if one.message_id in (row.message_id, alarm) and one.recipient != row.recipient
            }
            emergency = alarm if alarm in stored else row.message_id
            chosen = _choose(row, list(others.values()), now)
            found.append(_Unreached(row, emergency, stored[row.message_id], chosen))
    return found


def _choose(
    row: DeliveryState, others: Sequence[Delivery], now: datetime
) -> Sequence[Delivery] | None:
    """Return those to tell. None to wait until the emergency has reached one of them."""
    is_reached = any(_has_arrived(one, now) for one in others)
    # A delivery that has failed comes here only once.
    if others and not is_reached and row.state not in UNDELIVERED:
        return None
    # Where a network loses the text itself, a second one would only be charged too.
    return [
        one
        for one in others
        if _has_arrived(one, now) or (one.state == State.WAITING and not one.losses)
    ]


def _has_arrived(one: Delivery, now: datetime) -> bool:
    # A text that was lost before may be lost again: its network says so within the hour.
    is_old = one.settled_at is not None and now - one.settled_at >= SLOW_AFTER
    is_sent = one.state == State.SENT and (is_old or not one.losses)
    return is_sent or one.state == State.DELIVERED


def _find_subjects(found: Collection[_Unreached]) -> dict[str, str]:
    """Return the subjects of the emergencies; none where the key of one is missing: that must not stop the message."""
    rows = Message.objects.filter(id__in=[one.message.id for one in found])
    try:
        return dict(rows.values_list("id", "subject"))
    except UnknownKey:
        return {}


def _find_names(found: Collection[_Unreached]) -> dict[tuple[int | None, str], str]:
    """Return the names of the recipients among the contacts of the owner of the device."""
    contacts = Contact.objects.filter(
        owner_id__in={one.message.subscriber_id for one in found},
        address__in={one.row.recipient for one in found},
    )
    rows = contacts.order_by("-id").values_list("owner_id", "address", "name")
    return {(owner, address): name for owner, address, name in rows}


def _message(
    one: _Unreached, names: Mapping[tuple[int | None, str], str], subject: str, now: datetime
) -> Message:
    first = one.others[0] if one.others else None
    name = names.get((one.message.subscriber_id, one.row.recipient), one.row.recipient)
    about = subject.removeprefix(SUBJECT) or "a call for help"
    end = _ENDED if one.row.state in UNDELIVERED else _GOES_ON
    return Message(
        id=one.id,
        sender_network=first.sender_network if first else Network.EMAIL.value,
        sender=first.sender if first else "",
        recipient_network=first.recipient_network if first else "",
        recipient=first.recipient if first else "",
        via=VIA,
        subject=f"{NOT_REACHED}{name}",
        text=f"About: {about}\nWhy: {one.row.reason}\n{end} {_ADVICE}",
        reason="" if first else NO_OTHER,
        subscriber_id=one.message.subscriber_id,
        created_at=now,
    )


def _delivery(one: _Unreached, other: Delivery) -> NewDelivery:
    return NewDelivery(
        message_id=one.id,
        via=other.via,
        sender_network=Network(other.sender_network),
        sender=other.sender,
        recipient_network=Network(other.recipient_network),
        recipient=other.recipient,
        # Such messages do not count against the queue of the subscriber's own ones.
        subscriber_id=None,
        device_id=None,
        is_urgent=True,
        sender_name="",
        display_name="",
        expires_at=NEVER,
        # Texts of the gateway itself are in no budget.
        estimated_units=None,
        rest_characters=0,
    )
