"""Sends a message of an operator by the transaction that accepts every message: the same checks and limits hold.

Raises InvalidInput where it is refused, and Unavailable when it may be accepted later or the store is away.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from django.db.models import Q
from django.utils import timezone

from messaging.config.settings import Settings
from messaging.errors import Busy, Rejected
from messaging.model import message as values
from messaging.model.message import Address, Network, message_id
from messaging.store.accept.decide import TOO_FAST
from messaging.store.accept.refusals import INACTIVE_DEVICE, INACTIVE_OWNER, Refusal
from messaging.store.accept.routing import Policy, Route
from messaging.store.accept.transaction import AcceptTransaction
from messaging.store.console.kept import SentOn
from messaging.store.console.recipients import (
    POSTMASTER,
    find_recipient,
    route_from_operator,
    route_to_device,
)
from messaging.store.console.save import InvalidInput
from messaging.store.counters import Counters
from messaging.store.db.connection import guard
from messaging.store.db.room import store_room_problem
from messaging.store.models import Delivery, Device, Message, Subscriber

OPERATOR: Final = "operator"
"""Stands in the place of the account by which a message came."""

NO_OWN_NUMBER: Final = Refusal(
    "no_number",
    "an SMS needs a number to leave from, and the operator has none; only subscribers do",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message that was accepted from an operator, with its deliveries."""

    message_id: str
    deliveries: tuple[SentOn, ...]


@guard
def send_message(
    to: str,
    text: str,
    settings: Settings,
    policy: Policy,
    now: Callable[[], datetime] = timezone.now,
) -> SentMessage:
    """Accept a text for a subscriber, a device, a mailbox, or the number of a subscriber; each call sends anew.

    Recorded in the audit and logged. The deliveries are due at once.
    """
    if not text.strip():
        raise InvalidInput("the text is empty")
    recipient = find_recipient(to, policy)
    owner_id = _find_owner(recipient, policy)
    author = _author_for(owner_id, policy)
    route = _choose_route(recipient, owner_id, author, policy)
    if isinstance(route, Refusal):
        raise InvalidInput(route.reason)
    address = (
        Address(Network.SATELLITE, recipient.serial) if isinstance(recipient, Device) else recipient
    )
    message = values.Message(
        id=message_id(OPERATOR, uuid4().hex),
        sender=author,
        recipient=address,
        text=text,
        via=OPERATOR,
    )
    _require_rate(address, owner_id, settings, now())
    devices = Device.objects.filter(owner_id=owner_id).values_list("network", flat=True)
    accounts = {one.via for one in route.deliveries} if route else set(devices)
    # Stored as due: this process has no senders.
    full = {*policy.default_accounts.values(), *accounts}
    _accept(AcceptTransaction(settings, policy, now, Counters()), message, route, full, settings)
    rows = Delivery.objects.filter(message_id=message.id).order_by("id")
    made = (SentOn(id=d.id, via=d.via, recipient=d.recipient, state=d.state) for d in rows)
    return SentMessage(message_id=message.id, deliveries=tuple(made))


def _accept(
    accept: AcceptTransaction,
    message: values.Message,
    route: Route | None,
    full: Collection[str],
    settings: Settings,
) -> None:
    has_room = store_room_problem(settings) is None
    [result] = accept.accept(
        [message], full, has_room=has_room, operator_routes={message.id: route}
    )
    if isinstance(result.error, Rejected):
        raise InvalidInput(result.error.reason)
    if result.error is not None:
        raise result.error


def _find_owner(recipient: Address | Device, policy: Policy) -> int | None:
    """Return the row of the subscriber that owns a recipient; None for a mailbox or number of others."""
    if isinstance(recipient, Device):
        return recipient.owner_id
    name, number = policy.name_of(recipient), policy.number_of(recipient)
    if name is None and number is None:
        return None
    is_owner = Q(name=name) if name is not None else Q(number=number)
    return Subscriber.objects.filter(is_owner).values_list("id", flat=True).first()


def _author_for(owner_id: int | None, policy: Policy) -> Address:
    """Return the author: for a device the mailbox of an operator, so that an answer arrives; else the postmaster."""
    others = (
        one
        for one in policy.operators
        if one.network is Network.EMAIL and policy.name_of(one) is None
    )
    postmaster = Address(Network.EMAIL, f"{POSTMASTER}@{policy.mail_domain}")
    # Mail that leaves as from a foreign domain is refused by many servers.
    return postmaster if owner_id is None else next(others, postmaster)


def _choose_route(
    recipient: Address | Device, owner_id: int | None, author: Address, policy: Policy
) -> Route | Refusal | None:
    """Return the route or why there is none; None for the route of every message to that subscriber."""
    if isinstance(recipient, Device):
        if not recipient.is_active:
            return INACTIVE_DEVICE
        if not recipient.owner.is_active:
            return INACTIVE_OWNER
        return route_to_device(recipient, author, policy)
    if owner_id is not None:
        return None
    return (
        NO_OWN_NUMBER
        if recipient.network is Network.SMS
        else route_from_operator(recipient, policy)
    )


def _require_rate(
    recipient: Address, owner_id: int | None, settings: Settings, now: datetime
) -> None:
    """Raise Busy when operators sent this subscriber, or other recipient, too many messages within the last hour."""
    # The limit of the router is in its memory, which a command does not share.
    limit = settings.max_hourly_per_pair
    sent = Message.objects.filter(via=OPERATOR, created_at__gte=now - timedelta(hours=1))
    same = Q(recipient=recipient.value) if owner_id is None else Q(subscriber_id=owner_id)
    if limit and sent.filter(same).count() >= limit:
        raise Busy(TOO_FAST)
