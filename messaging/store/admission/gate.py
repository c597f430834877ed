"""Applies the rules of admission to the messages of one batch, each counting the earlier ones. Pure."""

from collections import Counter
from datetime import datetime, timedelta

from messaging.config.settings import Settings
from messaging.model.message import Address, Message, Network
from messaging.store.accept.context import BatchContext, SubscriberInfo
from messaging.store.accept.refusals import Refusal
from messaging.store.accept.routing import Policy, Route
from messaging.store.admission.bursts import Bound, BoundKey, CountedMessage, keys_of_stranger
from messaging.store.admission.rules import Admission, Author, admit
from messaging.store.admission.terms import HOLD_REASONS, Hold, SenderMode
from messaging.store.queue.delivery_state import NewHold


class Gate:
    """Decides who may write to the subscribers of a batch.

    The operators may write to all of them, and a subscriber to the own devices. A call for help does not come here.
    """

    def __init__(
        self, settings: Settings, policy: Policy, context: BatchContext, now: datetime
    ) -> None:
        self._policy = policy
        self._context = context
        self._now = now
        self._held_until = now + timedelta(days=settings.held_days)
        self._max_held = settings.max_held_per_subscriber
        self._held: Counter[int] = Counter()
        for (owner, _), number in context.admission.held.items():
            self._held[owner] += number

    def is_closed(self, recipient: Address) -> bool:
        """Return whether the subscriber takes no messages from others."""
        subscriber = self._policy.find_subscriber(recipient, self._context)
        return isinstance(subscriber, SubscriberInfo) and subscriber.senders is SenderMode.CLOSED

    def admit(self, message: Message) -> Admission:
        """Return why a message is held or refused; None when it is delivered, or goes to no subscriber."""
        subscriber = self._policy.find_subscriber(message.recipient, self._context)
        if isinstance(subscriber, Refusal):
            return None
        addresses, authorship = self._addresses(message), message.authorship
        is_of_device = message.sender.network is Network.SATELLITE
        if is_of_device and self._policy.mailbox(subscriber).value.lower() in addresses:
            return None
        author = Author(
            addresses=addresses,
            level=message.level,
            is_bulk=not message.takes_answers,
            is_spam=bool(authorship and authorship.spam_mark),
            is_disputed=bool(authorship and authorship.is_disputed),
        )
        known, mode = self._context.admission, subscriber.senders
        admission = admit(author, subscriber.id, mode, known, self._now)
        # A mark as spam comes before the permissions of all authors.
        if not isinstance(admission, Hold) or admission is Hold.SPAM:
            return admission
        is_operator = author.level.names_author and self._are_operators(addresses)
        return None if is_operator else admission

    def hold(self, message: Message, route: Route, why: Hold) -> NewHold | None:
        """Return the hold of a message, and count it; None when too many messages of the subscriber are held."""
        owner = route.subscriber_id or 0
        if self._held[owner] >= self._max_held:
            return None
        self._held[owner] += 1
        return NewHold(why.value, HOLD_REASONS[why], self._held_until)

    def is_full(self, message: Message, route: Route) -> bool:
        """Return whether too many messages are held to let a budget hold one more of a stranger."""
        owner, known = route.subscriber_id or 0, self._context.admission
        if not self._context.has_budgets or self._held[owner] < self._max_held:
            return False
        if not message.level.names_author:
            return True
        addresses = self._addresses(message)
        contacts = known.rights_of(owner, addresses)
        is_contact = any(one.may_write_at(self._now) for one in contacts)
        is_correspondent = known.has_correspondent(owner, addresses)
        return not (is_contact or is_correspondent or self._are_operators(addresses))

    def count(self, message: Message, route: Route) -> CountedMessage | None:
        """Return the bounds within an hour that a message counts in; None for one of an emergency contact."""
        owner, addresses = route.subscriber_id or 0, self._addresses(message)
        known, level = self._context.admission, message.level
        contacts = [
            one
            for one in known.rights_of(owner, addresses)
            if one.may_write_at(self._now) and one.accepts(level)
        ]
        if any(one.is_emergency for one in contacts):
            return None
        # Mail that only pretends to be an author's takes no room of the author.
        doubt = "" if level.names_author else "unproved "
        author = str(contacts[0].contact_id) if contacts else doubt + addresses[0]
        keys: list[BoundKey] = [(Bound.AUTHOR, f"{owner}/{author}")]
        keys += [(Bound.DEVICE, str(one.device_id)) for one in route.deliveries]
        if not contacts and (doubt or not known.has_correspondent(owner, addresses)):
            keys += keys_of_stranger(message)
        return CountedMessage(owner, (*keys, (Bound.TOTAL, "")))

    def wants_note(self, message: Message, why: Hold) -> bool:
        """Return whether the author of a held mail may hear of it: no list or program, and proved, not forged."""
        is_mail = message.sender.network is Network.EMAIL
        is_automatic = why in (Hold.BULK, Hold.SPAM) or not message.takes_answers
        return is_mail and not is_automatic and message.level.names_author

    def _are_operators(self, addresses: tuple[str, ...]) -> bool:
        operators = {one.value.lower() for one in self._policy.operators}
        return not operators.isdisjoint(addresses)

    def _addresses(self, message: Message) -> tuple[str, ...]:
        """Return the addresses of the author in lower case: of a device those of its owner."""
        if message.sender.network is Network.SATELLITE:
            device = self._context.sender_device(message.sender, message.via)
            if device is not None:
                return self._policy.author_addresses(device.owner)
        return self._policy.spellings(message.sender)
