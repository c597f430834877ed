"""Reserves the budgets of the messages of a batch; those that do not fit are held."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from messaging.model.authentication import AuthorLevel
from messaging.model.message import Message, Network
from messaging.store.accept.context import BatchContext
from messaging.store.accept.routing import PlannedDelivery, Policy, RoutedMessage
from messaging.store.admission.terms import Hold
from messaging.store.budgets.figures import FigureChanges
from messaging.store.budgets.lookup import Charge
from messaging.store.budgets.reserve import Reservation, reserve
from messaging.store.outgoing.limits import estimate_units
from messaging.store.queue.delivery_state import NewHold

DeliveryName = tuple[str, str, str]
"""The message, account and recipient of a delivery that has no id yet."""


@dataclass(frozen=True, slots=True)
class ReservedBatch:
    """The messages of a batch that may be sent, those that are held, and the reservations by delivery."""

    admitted: Sequence[RoutedMessage]
    held: Sequence[RoutedMessage]
    reservations: Mapping[DeliveryName, Reservation]


def reserve_batch(
    routed: Sequence[RoutedMessage],
    policy: Policy,
    context: BatchContext,
    now: datetime,
    held_until: datetime,
    changes: FigureChanges,
) -> ReservedBatch:
    """Reserve for the deliveries that are not held yet. Call it last in the transaction: it writes the `changes` too.

    Without budgets there is no statement, and units are counted for held messages only.
    """
    held = [count_units(one, policy) for one in routed if one.hold is not None]
    admitted = [one for one in routed if one.hold is None]
    if not context.has_budgets:
        changes.write()
        return ReservedBatch(admitted, held, {})
    admitted = [count_units(one, policy) for one in admitted]
    deliveries = {
        delivery_name(one, planned): _charge_of(one, planned, policy, context)
        for one in admitted
        for planned in one.route.deliveries
    }
    results = reserve(list(deliveries.values()), now, changes)
    reservations = dict(zip(deliveries, results, strict=True))
    fitting = []
    for one in admitted:
        by_refusal: dict[str, list[PlannedDelivery]] = defaultdict(list)
        for planned in one.route.deliveries:
            by_refusal[reservations[delivery_name(one, planned)].refusal].append(planned)
        for refusal, those in by_refusal.items():
            part = replace(one, route=replace(one.route, deliveries=tuple(those)))
            if refusal:
                hold = NewHold(Hold.BUDGET.value, refusal, held_until)
                held.append(replace(part, hold=hold))
            else:
                fitting.append(part)
    return ReservedBatch(fitting, held, reservations)


def count_units(routed: RoutedMessage, policy: Policy) -> RoutedMessage:
    """Return the message with the estimated units of its deliveries. Mail has none."""
    deliveries = tuple(
        replace(planned, estimated_units=_units_of(routed.message, planned, policy))
        for planned in routed.route.deliveries
    )
    return replace(routed, route=replace(routed.route, deliveries=deliveries))


def delivery_name(routed: RoutedMessage, planned: PlannedDelivery) -> DeliveryName:
    """Return the name of a delivery that has no id yet."""
    return routed.message.id, planned.via, planned.recipient.value


def leaving_message(message: Message, planned: PlannedDelivery) -> Message:
    """Return a message as a delivery has it: fields that matter to the store only are empty."""
    return replace(
        message,
        sender=planned.sender,
        recipient=planned.recipient,
        via=planned.via,
        wants_notice=False,
        reference="",
        whole_text="",
        return_path="",
        answer_address="",
        sender_name=planned.sender_name,
        display_name=planned.display_name,
    )


def _units_of(message: Message, planned: PlannedDelivery, policy: Policy) -> int:
    if planned.recipient.network is Network.EMAIL:
        return 0
    counter = policy.unit_counters.get(planned.via)
    if counter is None:
        return estimate_units(message.text)
    leaving = leaving_message(message, planned)
    return counter.count_units(leaving, planned.codec, planned.alphabet)


def _charge_of(
    routed: RoutedMessage, planned: PlannedDelivery, policy: Policy, context: BatchContext
) -> Charge:
    message, route = routed.message, routed.route
    is_for_device = planned.recipient.network is Network.SATELLITE
    sender = context.sender_device(message.sender, message.via)
    if is_for_device and sender is not None:
        peers = policy.author_addresses(sender.owner)
    else:
        other = message.sender if is_for_device else planned.recipient
        peers = policy.spellings(other)
    return Charge(
        via=planned.via,
        units=planned.estimated_units or 0,
        subscriber_id=route.subscriber_id,
        device_id=planned.device_id if is_for_device else route.sender_device_id,
        peers=peers,
        level=message.level if is_for_device else AuthorLevel.PROVED,
        # The text of a call for help too, which is no alarm itself.
        is_urgent=route.is_urgent or message.sos is not None,
    )
