"""Sends dead letters on: where they can be routed now, or to a recipient that an operator names.

Raises InvalidInput when that is impossible, and Unavailable when the store is away.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from messaging.config.settings import Settings
from messaging.model import message as values
from messaging.model.message import Address, DeviceText, Network, Position
from messaging.store.accept.context import BatchContext
from messaging.store.accept.device_reply import add_position, position_line
from messaging.store.accept.device_text import name_senders, parse_device_texts
from messaging.store.accept.emergency import NO_RECIPIENT, plan_alarm
from messaging.store.accept.lookup import References, look_up, references_of
from messaging.store.accept.operator_mail import NOT_FORWARDED, forward
from messaging.store.accept.refusals import Refusal
from messaging.store.accept.routing import Policy, Route, RoutedMessage
from messaging.store.accept.transaction import new_delivery
from messaging.store.audit.log_line import log_after_commit
from messaging.store.audit.record import Action, record
from messaging.store.budgets.batch import count_units
from messaging.store.budgets.stored import reserve_rows
from messaging.store.console.readable import readable
from messaging.store.console.recipients import (
    find_recipient,
    route_from_operator,
    route_to_device,
)
from messaging.store.console.save import InvalidInput
from messaging.store.console.selection import (
    DEAD_LETTER,
    DeliveryFilter,
    MessageFilter,
    filter_messages,
    find_message,
)
from messaging.store.db.connection import guard
from messaging.store.models import Delivery, Device, DevicePosition, Message
from messaging.store.queue.enqueue import enqueue
from messaging.store.queue.operator_actions import RetryResult
from messaging.store.states import DEAD

SUBJECT_LINE: Final = "Subject: "
POSITION_AGE: Final = timedelta(hours=1)
CLOCK_TOLERANCE: Final = timedelta(minutes=5)
NO_SENDER: Final = Address(Network.EMAIL, "")
NOT_READABLE: Final = Refusal(
    "not_readable", "its bytes cannot be read as a text; `messages deliver` sends them all the same"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentOn:
    """A delivery of a dead letter that was sent on, or of a message from an operator."""

    id: int
    via: str
    recipient: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOnResult:
    """The deliveries of a dead letter. `is_new`: this call made them, no earlier one.

    Without deliveries `reason` says why it still has no recipient.
    """

    message_id: str
    is_new: bool
    deliveries: tuple[SentOn, ...] = ()
    reason: str = ""


def text_of(row: Message) -> str:
    """Return the text of a message; of a dead letter without one its bytes, escaped where they are no text."""
    return row.text or readable(bytes(row.raw or b""))


def position_near(row: Message) -> Position | None:
    """Return the last position that the device of a message reported within the hour before it: one query."""
    if row.device_id is None:
        return None
    found = DevicePosition.objects.filter(
        Q(latitude__isnull=False) | Q(encrypted__isnull=False),
        device_id=row.device_id,
        at__lte=row.created_at + CLOCK_TOLERANCE,
        at__gte=row.created_at - POSITION_AGE,
    )
    place = found.order_by("-at").first()
    if place is None or place.latitude is None or place.longitude is None:
        return None
    return Position(
        latitude=place.latitude,
        longitude=place.longitude,
        altitude_meters=place.altitude_meters,
        accuracy_meters=place.accuracy_meters,
        at=place.at,
    )


class KeptMessages:
    """Sends dead letters on, each once: a dead letter that has deliveries gets no others while one may still arrive.

    Each is recorded in the audit and logged.
    """

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        now: Callable[[], datetime] = timezone.now,
    ) -> None:
        self._settings = settings
        self._policy = policy
        self._now = now

    @guard
    def deliver(self, message_id: str, to: str) -> SendOnResult:
        """Send a dead letter to an address, a number, the devices of a subscriber, or one device by its serial.

        Limits and an opt-out of the recipient hold as for every message; an emergency has none. The deliveries of an
        earlier call are returned instead, unless all of them have ended without arriving.
        """
        return self._send_on(find_message(message_id).id, to)

    @guard
    def retry(self, message_id: str) -> SendOnResult:
        """Send a dead letter as if it came now: to the emergency contacts, or to the recipient that its text names.

        A text that names none goes nowhere: whom the device wrote to last may be another one by now.
        """
        return self._send_on(find_message(message_id).id, None)

    @guard
    def retry_all(self, chosen: DeliveryFilter) -> RetryResult:
        """Send all dead letters that match and that can be routed now, the oldest first; each in its transaction."""
        found = filter_dead_letters(chosen).order_by("created_at", "id")
        done = left = 0
        for message_id in list(found.values_list("id", flat=True)):
            result = self._send_on(message_id, None)
            done += len(result.deliveries) if result.is_new else 0
            left += not result.is_new
        return RetryResult(done, left)

    def _send_on(self, message_id: str, to: str | None) -> SendOnResult:
        now = self._now()
        with transaction.atomic():
            rows = Message.objects.filter(id=message_id)
            if connection.features.has_select_for_update:
                rows = rows.select_for_update(no_key=connection.vendor == "postgresql")
            row = rows.get()
            earlier = list(Delivery.objects.filter(message_id=row.id).order_by("id"))
            if any(one.state not in DEAD for one in earlier) or (earlier and to is None):
                return SendOnResult(message_id=row.id, is_new=False, deliveries=_sent_on(earlier))
            if row.raw is None:
                raise InvalidInput(f"message {row.id[:12]} is no dead letter, or its text is gone")
            routed = self._reroute(row) if to is None else self._route_to(row, to)
            if isinstance(routed, Refusal):
                if to is not None:
                    raise InvalidInput(routed.reason)
                return SendOnResult(message_id=row.id, is_new=False, reason=routed.reason)
            before = {one.recipient for one in earlier}
            if any(one.recipient.value in before for one in routed.route.deliveries):
                raise InvalidInput("it was sent there before; `messages retry` tries that again")
            self._write(row, routed, now)
            made = Delivery.objects.filter(message_id=row.id, created_at=now).order_by("id")
            deliveries = _sent_on(list(made))
            action = Action.RETRY if to is None else Action.DELIVER
            record(action, "message", row.id)
            log_after_commit(action, len(deliveries), row.id)
        return SendOnResult(message_id=row.id, is_new=True, deliveries=deliveries)

    def _write(self, row: Message, routed: RoutedMessage, now: datetime) -> None:
        [named] = name_senders([routed], self._policy)
        routed = count_units(named, self._policy)
        message, route = routed.message, routed.route
        row.subject, row.text = message.subject, message.text
        if not row.recipient:
            row.recipient_network = route.deliveries[0].recipient.network.value
            row.recipient = route.deliveries[0].recipient.value
        if route.sender_device_id is not None:
            row.device_id = route.sender_device_id
        row.save(update_fields=["subject", "text", "recipient_network", "recipient", "device"])
        expires_at = {
            network: now + timedelta(seconds=self._settings.retry_policy(network).lifetime_seconds)
            for network in Network
        }
        new = [new_delivery(row.id, route, one, expires_at) for one in route.deliveries]
        made = Delivery.objects.filter(id__in=enqueue(new, now)).order_by("id")
        # A person sends it: over a budget, too.
        reserve_rows(made, self._settings.mail_domain, now, over_budget=True)

    def _reroute(self, row: Message) -> RoutedMessage | Refusal:
        """Return the route that the dead letter would have if it came now, or why it has none."""
        source = _message_of(row)
        if row.reason == NO_RECIPIENT:
            return self._route_alarm(source)
        if not row.text:
            return NOT_READABLE
        if source.sender.network is Network.SATELLITE:
            return self._reroute_from_device(row, source)
        if row.reason == NOT_FORWARDED:
            route = self._policy.route_to_operators(source.sender, source.recipient)
            forwarded = RoutedMessage(forward(source), route)
            return forwarded if route.deliveries else Refusal("unreachable", NOT_FORWARDED)
        if source.sender.network is Network.EMAIL or not row.recipient:
            # Automatic answers and reports of failures: a device would pay for them.
            return Refusal("kept", row.reason)
        context = self._look_up(references_of([source], self._policy))
        return _routed(
            source, self._policy.route_to_subscriber(source.sender, source.recipient, context)
        )

    def _reroute_from_device(self, row: Message, source: values.Message) -> RoutedMessage | Refusal:
        if not row.recipient:
            text = DeviceText(id=row.id, sender=source.sender, text=row.text, via=row.via)
            parsed = parse_device_texts([text], self._policy, has_default=False)[text]
            if isinstance(parsed, Refusal):
                return parsed
            if parsed.message is None:
                return Refusal("not_understood", parsed.reason)
            source = parsed.message
        context = self._look_up(references_of([source], self._policy))
        return self._with_position(
            row, _routed(source, self._policy.route(source, context)), context
        )

    def _look_up(self, found: References) -> BatchContext:
        return look_up(found, self._policy, self._now(), counts_waiting=False)

    def _route_alarm(self, source: values.Message) -> RoutedMessage | Refusal:
        key = (source.via, source.sender.value)
        found = References(devices={key}, emergency_devices={key})
        context = self._look_up(found)
        device = context.sender_device(source.sender, source.via)
        deliveries = plan_alarm(device, self._policy, context)
        if not deliveries:
            return Refusal("unreachable", NO_RECIPIENT)
        owner, id = (device.owner.id, device.device_id) if device else (None, None)
        return RoutedMessage(source, Route(owner, deliveries, id, is_urgent=True))

    def _route_to(self, row: Message, to: str) -> RoutedMessage | Refusal:
        """Return the route to the recipient that a person named, or why there is none."""
        source = _message_of(row)
        is_emergency = row.reason == NO_RECIPIENT
        recipient = find_recipient(to, self._policy)
        target = recipient if isinstance(recipient, Address) else NO_SENDER
        found = references_of([replace(source, recipient=target)], self._policy)
        context = self._look_up(found)
        if is_emergency:
            context = replace(context, opted_out=())
        sender = context.sender_device(source.sender, source.via)
        author = NO_SENDER if source.sender.network is Network.SATELLITE else source.sender
        if isinstance(recipient, Device):
            author = self._policy.mailbox(sender.owner) if sender else author
            route = route_to_device(recipient, author, self._policy)
        elif sender is not None:
            route = self._policy.route_from_owner(
                sender.owner, recipient, context, to_any_country=True
            )
        elif not isinstance(self._policy.find_subscriber(recipient, context), Refusal):
            route = self._policy.route_to_subscriber(author, recipient, context)
        else:
            route = route_from_operator(recipient, self._policy)
            if not source.text.startswith(_origin(row)):
                source = replace(source, text=f"{_origin(row)}\n\n{source.text}")
        if isinstance(route, Refusal):
            return route
        device_id = sender.device_id if sender else None
        route = replace(route, sender_device_id=device_id, is_urgent=is_emergency)
        routed = RoutedMessage(source, route)
        return routed if is_emergency else self._with_position(row, routed, context)

    def _with_position(
        self, row: Message, routed: RoutedMessage | Refusal, context: BatchContext
    ) -> RoutedMessage | Refusal:
        if isinstance(routed, Refusal):
            return routed
        message = routed.message
        device = context.sender_device(message.sender, message.via)
        if device is None or not device.adds_position:
            return routed
        position = position_near(row)
        # An earlier call has added it already, if the message was sent on and failed.
        if position is None or position_line(position, self._policy.map_url) in message.text:
            return routed
        placed = replace(message, position=position)
        return replace(routed, message=add_position(placed, routed.route, self._policy.map_url))


def filter_dead_letters(chosen: DeliveryFilter) -> "QuerySet[Message]":
    """Return the dead letters that match. Raises InvalidInput for a filter by the state of a delivery."""
    return filter_messages(
        MessageFilter(state=DEAD_LETTER, via=chosen.via, user=chosen.user, before=chosen.before)
    ).filter(raw__isnull=False)


def _message_of(row: Message) -> values.Message:
    """Return the message of a dead letter; its subject is in its text."""
    text, subject = text_of(row), row.subject
    first, _, rest = text.partition("\n")
    if subject:
        pass  # it was sent on before, and that failed
    elif row.reason == NO_RECIPIENT:
        subject, text = first, rest
    elif row.reason == NOT_FORWARDED and first.startswith(SUBJECT_LINE):
        subject, text = first.removeprefix(SUBJECT_LINE), rest.lstrip("\n")
    network = Network(row.recipient_network or Network.EMAIL)
    return values.Message(
        id=row.id,
        sender=Address(Network(row.sender_network), row.sender),
        recipient=Address(network, row.recipient),
        subject=subject,
        text=text,
        via=row.via,
    )


def _routed(message: values.Message, route: Route | Refusal) -> RoutedMessage | Refusal:
    return route if isinstance(route, Refusal) else RoutedMessage(message, route)


def _origin(row: Message) -> str:
    return f"From {row.sender or 'an unknown sender'} ({row.via}), {row.created_at:%Y-%m-%d %H:%M} UTC:"


def _sent_on(rows: list[Delivery]) -> tuple[SentOn, ...]:
    return tuple(
        SentOn(id=one.id, via=one.via, recipient=one.recipient, state=one.state) for one in rows
    )
