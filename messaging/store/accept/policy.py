"""Decides where a message goes and as whom it leaves: pure, from the message and the facts that were looked up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from messaging.model.address_syntax import e164, own_mailbox, relay_mailbox
from messaging.model.message import Address, Codec, Message, Network, OptOutChange
from messaging.store.accept.context import BatchContext, SubscriberInfo


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """One delivery to make: from whom to whom it leaves, through which provider, for which device.

    `sender_name` is what the device's owner calls the sender.
    """

    via: str
    sender: Address
    recipient: Address
    device_id: int | None = None
    codec: str = ""
    sender_name: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a message goes; `subscriber_id` is whom it concerns, `author_id` the device that sent it.

    What `is_urgent` is tried until it succeeds.
    """

    subscriber_id: int | None
    deliveries: tuple[PlannedDelivery, ...]
    author_id: int | None = None
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is never taken: `kind` to count it by, `reason` for people."""

    kind: str
    reason: str


UNKNOWN = Refusal("unknown_subscriber", "there is no subscriber here by that name or number")
NOT_OURS = Refusal("not_ours", "this gateway takes mail for its own subscribers only")
INACTIVE = Refusal("inactive_subscriber", "this subscriber does not take messages now")
NO_DEVICE = Refusal("no_active_device", "this subscriber has no device that takes messages now")
NOT_ADDRESSABLE = Refusal("not_ours", "a device is reached by the mailbox or number of its owner")
UNKNOWN_DEVICE = Refusal("unknown_device", "the device is not registered here")
INACTIVE_DEVICE = Refusal("inactive_device", "the device is switched off here")
INACTIVE_OWNER = Refusal("inactive_subscriber", "the owner of the device is switched off here")
NO_NUMBER = Refusal("no_number", "the owner of the device has no number to send SMS from")
OPTED_OUT = Refusal("opted_out", "the recipient asked not to get messages from this number")
BAD_MAILBOX = Refusal("bad_recipient", "the recipient is not a mail address")
BAD_NUMBER = Refusal("bad_recipient", "the recipient is not a telephone number with + and country")
MAIL_OFF = Refusal("network_off", "mail-out is off: no relay is configured")
SMS_OFF = Refusal("network_off", "SMS-out is off: no provider is configured")
SATELLITE_OFF = Refusal("network_off", "the network of the subscriber's device is not configured")


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one gateway. `default_accounts` names the account of each outgoing network; none is off.

    `satellites` are the satellite networks that are configured, each with the codec of its devices; None means that any
    is. `operators` are told of every emergency. `carriers` name the provider of texts from one of our numbers where
    that is another. `map_url` shows a place.
    """

    mail_domain: str
    default_accounts: Mapping[Network, str]
    satellites: Mapping[str, str] | None = None
    operators: Sequence[Address] = ()
    carriers: Mapping[str, str] = field(default_factory=dict)
    map_url: str = ""

    def via(self, sender: Address) -> str | None:
        """The provider that carries what leaves as `sender` by mail or SMS; None when that network is off.

        A number is one provider's, so the answer to a text leaves by the provider that the text came in by.
        """
        number = self.number_of(sender) or ""
        return self.carriers.get(number) or self.default_accounts.get(sender.network)

    def is_on(self, satellite: str) -> bool:
        """Whether a satellite network is configured."""
        return self.satellites is None or satellite in self.satellites

    def codec(self, satellite: str, own: str) -> str:
        """How a device reads and writes, of which `own` is its own codec, empty for that of its network."""
        return own or (self.satellites or {}).get(satellite, Codec.PROTOBUF)

    def name_of(self, address: Address) -> str | None:
        """The subscriber whose mailbox this is, if it is one of ours."""
        if address.network is not Network.EMAIL:
            return None
        return own_mailbox(address.value, self.mail_domain)

    def number_of(self, address: Address) -> str | None:
        """The number that this address means, if it is one."""
        return e164(address.value) if address.network is Network.SMS else None

    def pair(self, consent: OptOutChange) -> tuple[str, str]:
        """The peer and the number of ours that a consent speaks about."""
        peer = self.number_of(consent.sender) or consent.sender.value
        return peer, self.number_of(consent.recipient) or consent.recipient.value

    def route(self, message: Message, facts: BatchContext) -> Route | Refusal:
        """Return where the message goes, or why it is never taken."""
        if message.sender.network is Network.SATELLITE:
            return self._from_device(message, facts)
        return self._to_person(message.sender, message.recipient, facts)

    def answer(self, recipient: Address, facts: BatchContext) -> Route | Refusal:
        """Return where a message from outside to `recipient` would go."""
        return self._to_person(Address(Network.EMAIL, ""), recipient, facts)

    def unknown(self, recipient: Address, facts: BatchContext) -> Refusal | None:
        """Return why nothing about `recipient` can be taken, not even a report; None for every subscriber."""
        person = self._person(recipient, facts)
        return person if isinstance(person, Refusal) else None

    def unheard(self, sender: Address, via: str, facts: BatchContext) -> Refusal | None:
        """Return why nothing is taken from this device; None when it is one of ours and switched on."""
        author = facts.sender_device(sender, via)
        if author is None:
            return UNKNOWN_DEVICE
        if not author.is_active:
            return INACTIVE_DEVICE
        return None if author.owner.is_active else INACTIVE_OWNER

    def subscriber_id(self, recipient: Address | None, facts: BatchContext) -> int | None:
        """The subscriber whose address this is, if it is one's."""
        person = self._person(recipient, facts) if recipient else UNKNOWN
        return None if isinstance(person, Refusal) else person.id

    def mailbox(self, person: SubscriberInfo) -> Address:
        """The subscriber's own mailbox."""
        return Address(Network.EMAIL, f"{person.name}@{self.mail_domain}")

    def _to_person(
        self, sender: Address, recipient: Address, facts: BatchContext
    ) -> Route | Refusal:
        person = self._person(recipient, facts)
        if isinstance(person, Refusal):
            return person
        if not person.is_active:
            return INACTIVE
        if not person.devices:
            return NO_DEVICE
        reachable = [d for d in person.devices if self.is_on(d.network)]
        legs = tuple(
            PlannedDelivery(d.network, sender, Address(Network.SATELLITE, d.serial), d.id, d.codec)
            for d in reachable
        )
        return Route(person.id, legs) if legs else SATELLITE_OFF

    def _person(self, recipient: Address, facts: BatchContext) -> SubscriberInfo | Refusal:
        match recipient.network:
            case Network.EMAIL:
                name = self.name_of(recipient)
                return NOT_OURS if name is None else facts.by_name.get(name, UNKNOWN)
            case Network.SMS:
                return facts.by_number.get(self.number_of(recipient) or "", UNKNOWN)
            case Network.SATELLITE:
                return NOT_ADDRESSABLE

    def _from_device(self, message: Message, facts: BatchContext) -> Route | Refusal:
        author = facts.sender_device(message.sender, message.via)
        refusal = self.unheard(message.sender, message.via, facts)
        if author is None or refusal:
            return refusal or UNKNOWN_DEVICE
        route = self._by_recipient(author.owner, message.recipient, facts)
        if isinstance(route, Refusal):
            return route
        return Route(route.subscriber_id, route.deliveries, author.device_id)

    def _by_recipient(
        self, owner: SubscriberInfo, recipient: Address, facts: BatchContext
    ) -> Route | Refusal:
        match recipient.network:
            case Network.EMAIL if self.name_of(recipient) is not None:
                return self._to_person(self.mailbox(owner), recipient, facts)
            case Network.EMAIL:
                return self._mail_out(owner, recipient)
            case Network.SMS if (self.number_of(recipient) or "") in facts.by_number:
                own = Address(Network.SMS, owner.number) if owner.number else self.mailbox(owner)
                return self._to_person(own, recipient, facts)
            case Network.SMS:
                return self._sms_out(owner, recipient, facts)
        return NOT_ADDRESSABLE

    def _mail_out(self, owner: SubscriberInfo, recipient: Address) -> Route | Refusal:
        if relay_mailbox(recipient.value) is None:
            return BAD_MAILBOX
        via = self.default_accounts.get(Network.EMAIL)
        if via is None:
            return MAIL_OFF
        return Route(owner.id, (PlannedDelivery(via, self.mailbox(owner), recipient),))

    def _sms_out(
        self, owner: SubscriberInfo, recipient: Address, facts: BatchContext
    ) -> Route | Refusal:
        number = self.number_of(recipient)
        if number is None:
            return BAD_NUMBER
        sender, to = Address(Network.SMS, owner.number or ""), Address(Network.SMS, number)
        via = self.via(sender)
        if via is None:
            return SMS_OFF
        if not owner.number:
            return NO_NUMBER
        if (number, owner.number) in facts.opted_out:
            return OPTED_OUT
        return Route(owner.id, (PlannedDelivery(via, sender, to),))
