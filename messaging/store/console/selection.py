"""Finds messages and deliveries by id or by filter, for the command line."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from messaging.store.console.save import InvalidInput, find_subscriber
from messaging.store.console.search import filter_by_id, has_id
from messaging.store.db.connection import guard
from messaging.store.models import Delivery, Device, Message, Subscriber
from messaging.store.states import State

DEAD_LETTER = "undeliverable"
"""The state of a message without deliveries, which is kept for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFilter:
    """A filter of messages; an empty field matches all.

    `address` may be a part of one, `text` a part of a text or subject. `id` is the beginning of an id of at least six
    characters, `author_id` a Message-ID.
    """

    state: str | None = None
    via: str | None = None
    user: str | None = None
    device: str | None = None
    address: str | None = None
    text: str | None = None
    id: str | None = None
    author_id: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """A filter of deliveries; an empty field matches all.

    `before` compares the time at which the message came. `author` is the address of the author, in any case.
    """

    state: str | None = None
    via: str | None = None
    user: str | None = None
    author: str | None = None
    before: datetime | None = None


@guard
def require_known(
    accounts: Collection[str],
    user: str | None = None,
    via: str | None = None,
    device: str | None = None,
) -> None:
    """Raise InvalidInput for a name that cannot match: an unknown subscriber, device or account.

    `accounts` are known without a message. An account that is no longer configured is known by its messages.
    """
    if user is not None:
        find_subscriber(user)
    if device is not None and not Device.objects.filter(serial=device.strip()).exists():
        raise InvalidInput(f"there is no device {device!r}")
    if via is None or via in accounts:
        return
    rows = (Message, Delivery)
    if not any(row._default_manager.filter(via=via).exists() for row in rows):
        raise InvalidInput(f"there is no account {via!r}; there are {', '.join(accounts)}")


def filter_messages(wanted: MessageFilter) -> "QuerySet[Message]":
    """Return the messages that match but for their text and Message-ID, in no order.

    Raises InvalidInput for an unknown state and for a short id.
    """
    chosen = Message.objects.all() if wanted.id is None else filter_by_id(wanted.id)
    if wanted.state == DEAD_LETTER:
        chosen = chosen.filter(~_has_delivery(Q()))
    elif wanted.state is not None:
        chosen = chosen.filter(_has_delivery(Q(state=_state(wanted.state, DEAD_LETTER))))
    if wanted.user is not None:
        chosen = chosen.filter(of_subscriber(wanted.user))
    if wanted.via is not None:
        chosen = chosen.filter(Q(via=wanted.via) | _has_delivery(Q(via=wanted.via)))
    if wanted.device is not None:
        to_device = _has_delivery(Q(device__serial=wanted.device))
        chosen = chosen.filter(Q(device__serial=wanted.device) | to_device)
    if wanted.address is not None:
        part = Q(sender__icontains=wanted.address) | Q(recipient__icontains=wanted.address)
        chosen = chosen.filter(part | _has_delivery(part))
    if wanted.since is not None:
        chosen = chosen.filter(created_at__gte=wanted.since)
    if wanted.before is not None:
        chosen = chosen.filter(created_at__lt=wanted.before)
    return chosen


def filter_deliveries(chosen: DeliveryFilter) -> "QuerySet[Delivery]":
    """Return the deliveries that match, in no order. Raises InvalidInput for an unknown state."""
    found = Delivery.objects.order_by()
    if chosen.state is not None:
        found = found.filter(state=_state(chosen.state))
    if chosen.via is not None:
        found = found.filter(via=chosen.via)
    if chosen.before is not None:
        found = found.filter(message__created_at__lt=chosen.before)
    if chosen.author is not None:
        found = found.filter(message__sender__iexact=chosen.author.strip())
    if chosen.user is not None:
        found = found.filter(message__in=Message.objects.filter(of_subscriber(chosen.user)))
    return found


def of_subscriber(name: str) -> Q:
    """Return the condition of messages that count for a subscriber or come from one of its devices."""
    # Without joins, so that an index answers each half.
    owner = Subscriber.objects.filter(name=name)
    devices = Device.objects.filter(owner__name=name)
    return Q(subscriber__in=owner.values("id")) | Q(device__in=devices.values("id"))


def find_message(prefix: str) -> Message:
    """Return the one message whose id begins so. Raises InvalidInput when there is none, or more than one."""
    found = Message.objects.select_related("subscriber", "device").filter(has_id(prefix))
    messages = list(found.order_by()[:2]) if prefix else []
    if not messages:
        raise InvalidInput(f"there is no message {prefix!r}")
    if len(messages) > 1:
        raise InvalidInput(f"several messages begin with {prefix!r}; give more of the id")
    return messages[0]


def summary(states: Iterable[str]) -> str:
    """Sum up the states of the deliveries of one message."""
    counted = Counter(states)
    if not counted:
        return DEAD_LETTER
    if len(counted) == 1:
        return next(iter(counted))
    return ", ".join(f"{state} {number}" for state, number in sorted(counted.items()))


def _state(text: str, *others: str) -> State:
    """Return the state of that name; `others` can be asked for too, and are named in the error."""
    try:
        return State(text)
    except ValueError:
        known = ", ".join((*State, *others))
        raise InvalidInput(f"there is no state {text!r}; there are {known}") from None


def _has_delivery(condition: Q) -> Exists:
    return Exists(Delivery.objects.filter(condition, message_id=OuterRef("pk")))
