"""The rules of routing: where a message goes, and as whose it leaves. Pure: reads the message and its batch context."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from messaging.costs.amounts import UnitCounter
from messaging.model.address_syntax import (
    WHATSAPP,
    country_of,
    e164,
    mailbox_spellings,
    own_mailbox,
    phone_spellings,
    relay_mailbox,
    sub_address,
    whatsapp_address,
)
from messaging.model.locale import Locale
from messaging.model.message import Address, Codec, DeadLetter, Message, Network, OptOutChange
from messaging.store.accept.context import BatchContext, SubscriberInfo
from messaging.store.accept.refusals import (
    BAD_MAILBOX,
    BAD_NUMBER,
    INACTIVE,
    INACTIVE_DEVICE,
    INACTIVE_OWNER,
    MAIL_OFF,
    NO_ANSWERS,
    NO_DEVICE,
    NO_NUMBER,
    NO_WHATSAPP,
    NOT_ADDRESSABLE,
    NOT_OURS,
    OPTED_OUT,
    SATELLITE_AWAY,
    SATELLITE_OFF,
    SMS_OFF,
    UNKNOWN,
    UNKNOWN_DEVICE,
    Refusal,
    bad_country,
)
from messaging.store.outgoing.countries import CountryRule, KnownNumbers
from messaging.store.queue.delivery_state import NewHold

# RFC 5321 section 4.5.1, RFC 2142, and the sender of this gateway's own notices and alarms.
OPERATOR_MAILBOXES: Final = frozenset(("postmaster", "abuse", "mailer-daemon"))


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """A delivery to make: its sender and recipient as it leaves, its account, and the device that receives it.

    `codec`, `alphabet` and `locale` are those of the device; `sender_name` is the name of the sender among the contacts
    of its owner, `display_name` that of the sender where the device is shown it. `estimated_units` are counted only
    where a budget may need them.
    """

    via: str
    sender: Address
    recipient: Address
    device_id: int | None = None
    codec: str = ""
    sender_name: str = ""
    alphabet: str = ""
    locale: Locale = field(default_factory=Locale)
    display_name: str = ""
    estimated_units: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """The deliveries of a message. `subscriber_id` is the subscriber that it counts for.

    `sender_device_id` is the device that sent it. Deliveries of an `is_urgent` route never expire.
    """

    subscriber_id: int | None
    deliveries: tuple[PlannedDelivery, ...]
    sender_device_id: int | None = None
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class RoutedMessage:
    """A message and its route. With a `hold` its deliveries are held, or refused from the start.

    `wants_note`: the author of the held message may hear that it waits.
    """

    message: Message
    route: Route
    hold: NewHold | None = None
    wants_note: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one gateway.

    `default_accounts` has the account for each outgoing network; a missing network is off. `satellites` are the
    configured satellite accounts, each with the codec of its devices; None allows every account. `operators` are told
    of every emergency, and get the mail for `OPERATOR_MAILBOXES`. `carriers` has the SMS account of each number that
    does not use the default. `map_url` is the template of links to a map. `shared_accounts` are the satellite accounts
    that packets of the provider's other customers reach too. `providers` are those that satellite accounts can have.
    With `delivers_to_all` a message goes to all devices of a subscriber.
    `sms_countries` is the rule for texts from devices. `whatsapp_accounts` are the SMS accounts that carry WhatsApp.
    `unit_counters` count the billed units of messages by account.
    """

    mail_domain: str
    default_accounts: Mapping[Network, str]
    satellites: Mapping[str, str] | None = None
    operators: Sequence[Address] = ()
    carriers: Mapping[str, str] = field(default_factory=dict)
    map_url: str = ""
    shared_accounts: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    delivers_to_all: bool = False
    sms_countries: CountryRule = field(default_factory=CountryRule)
    whatsapp_accounts: frozenset[str] = frozenset()
    unit_counters: Mapping[str, UnitCounter] = field(default_factory=dict)

    def account_for(self, sender: Address) -> str | None:
        """Return the account that sends for `sender` by mail or SMS; None when that network is off.

        A number belongs to one provider: the answer to a text leaves by the account that the text came in by.
        """
        number = self.number_of(sender) or ""
        return self.carriers.get(number) or self.default_accounts.get(sender.network)

    def is_on(self, satellite: str) -> bool:
        """Return whether a satellite account is configured."""
        return self.satellites is None or satellite in self.satellites

    def is_known(self, satellite: str) -> bool:
        """Return whether a provider may have an account of that name, also one that is not configured now."""
        return satellite.partition("-")[0] in self.providers

    def codec(self, satellite: str, own: str) -> str:
        """Return the codec of a device: its own one, else that of its account."""
        return own or (self.satellites or {}).get(satellite, Codec.PROTOBUF)

    def name_of(self, address: Address) -> str | None:
        """Return the name of the subscriber whose mailbox this is; None for every other address."""
        if address.network is not Network.EMAIL:
            return None
        return own_mailbox(address.value, self.mail_domain)

    def number_of(self, address: Address) -> str | None:
        """Return the phone number of an SMS address in E.164; None for every other address."""
        return e164(address.value) if address.network is Network.SMS else None

    def own_number_of(self, recipient: Address) -> str | None:
        """Return the number that a text from a phone came to, by SMS or over WhatsApp; None for every other address."""
        if recipient.network is not Network.SMS:
            return None
        return e164(recipient.value.removeprefix(WHATSAPP))

    def peer_of(self, address: Address) -> str | None:
        """Return the address of a phone as opt-outs name it: a number, or one of WhatsApp."""
        return self.number_of(address) or whatsapp_address(address.value)

    def spellings(self, author: Address) -> tuple[str, ...]:
        """Return the addresses, in lower case, under which contacts and blocks may have an author who is no device.

        A phone that writes over WhatsApp has its number too.
        """
        if author.network is Network.EMAIL:
            return mailbox_spellings(author.value)
        return phone_spellings(author.value)

    def opt_out_pair(self, change: OptOutChange) -> tuple[str, str]:
        """Return the phone and the number of ours that an opt-out is about."""
        peer = self.number_of(change.sender) or change.sender.value
        return peer, self.number_of(change.recipient) or change.recipient.value

    def mailbox(self, subscriber: SubscriberInfo) -> Address:
        """Return the mailbox of a subscriber."""
        return Address(Network.EMAIL, f"{subscriber.name}@{self.mail_domain}")

    def author_addresses(self, subscriber: SubscriberInfo) -> tuple[str, ...]:
        """Return the addresses, in lower case, by which others know a subscriber as an author."""
        both = (self.mailbox(subscriber).value.lower(), subscriber.number)
        return tuple(one for one in both if one)

    def find_subscriber(
        self, recipient: Address | None, context: BatchContext
    ) -> SubscriberInfo | Refusal:
        """Return the subscriber with this mailbox or number, or the reason why there is none."""
        match recipient:
            case Address(Network.EMAIL):
                name = self.name_of(recipient)
                return NOT_OURS if name is None else context.by_name.get(name, UNKNOWN)
            case Address(Network.SMS):
                return context.by_number.get(self.own_number_of(recipient) or "", UNKNOWN)
            case Address(Network.SATELLITE):
                return NOT_ADDRESSABLE
        return UNKNOWN

    def is_for_operators(self, recipient: Address | None, context: BatchContext) -> bool:
        """Return whether this is a mailbox of the operators, unless a subscriber has that name."""
        name = self.name_of(recipient) if recipient else None
        return name in OPERATOR_MAILBOXES and name not in context.by_name

    def route_to_operators(self, sender: Address, recipient: Address) -> Route:
        """Return the deliveries of a mail to the operators: none when no operator can get it by mail.

        Leaves as from the mailbox that it was sent to, so that bounces come back here.
        """
        account = self.default_accounts.get(Network.EMAIL)
        authors = {one.value.lower() for one in self.operators}
        if account is None or sender.value.lower() in authors:
            return Route(None, ())  # an operator's own automatic answer would go round for ever
        # No texts: strangers would spend the operators' money. No mailbox of this gateway: that would be a loop.
        mailboxes = dict.fromkeys(
            one
            for one in self.operators
            if one.network is Network.EMAIL and self.name_of(one) is None
        )
        deliveries = (PlannedDelivery(account, recipient, one) for one in mailboxes)
        return Route(None, tuple(deliveries))

    def find_owner(self, dead: DeadLetter, context: BatchContext) -> SubscriberInfo | None:
        """Return the subscriber that a dead letter is about: the owner of its device, or its recipient."""
        if device := context.sender_device(dead.sender, dead.via):
            return device.owner
        if dead.sender.network is Network.SATELLITE:
            return None  # an unknown device would use up the room of the subscriber that it names
        found = self.find_subscriber(dead.recipient, context)
        return None if isinstance(found, Refusal) else found

    def refuse_device(self, sender: Address, via: str, context: BatchContext) -> Refusal | None:
        """Return why nothing is accepted from this device; None when it and its owner are active."""
        device = context.sender_device(sender, via)
        if device is None:
            return UNKNOWN_DEVICE
        if not device.is_active:
            return INACTIVE_DEVICE
        return None if device.owner.is_active else INACTIVE_OWNER

    def route(
        self, message: Message, context: BatchContext, *, to_any_country: bool = False
    ) -> Route | Refusal:
        """Return the route of a message, or why it is refused."""
        if message.sender.network is not Network.SATELLITE:
            return self.route_to_subscriber(message.sender, message.recipient, context)
        device = context.sender_device(message.sender, message.via)
        refusal = self.refuse_device(message.sender, message.via, context)
        if device is None or refusal:
            return refusal or UNKNOWN_DEVICE
        route = self.route_from_owner(
            device.owner, message.recipient, context, to_any_country=to_any_country
        )
        if isinstance(route, Refusal):
            return SATELLITE_OFF if route.is_temporary else route
        return Route(route.subscriber_id, route.deliveries, device.device_id)

    def route_to_subscriber(
        self, sender: Address, recipient: Address, context: BatchContext
    ) -> Route | Refusal:
        """Return the deliveries to the active devices of a subscriber, or why there are none.

        The device is the one that the sub-address names (`boop+spare@`), else the primary one, else the one that was
        heard last; all of them if the policy says so.
        """
        subscriber = self.find_subscriber(recipient, context)
        if isinstance(subscriber, Refusal):
            return subscriber
        if not subscriber.is_active:
            return INACTIVE
        if not subscriber.devices:
            return NO_DEVICE
        devices = [one for one in subscriber.devices if self.is_on(one.network)]
        name = sub_address(recipient.value) if recipient.network is Network.EMAIL else ""
        named = [one for one in devices if name and one.has_name(name)]
        chosen = named or (devices if self.delivers_to_all else devices[:1])
        if chosen:
            deliveries = (
                PlannedDelivery(
                    d.network,
                    sender,
                    Address(Network.SATELLITE, d.serial),
                    d.id,
                    d.codec,
                    alphabet=d.alphabet,
                    locale=d.locale,
                )
                for d in chosen
            )
            return Route(subscriber.id, tuple(deliveries))
        # A mail waits at its sender. A text, or a packet, would not: it is kept with the reason.
        waits = sender.network is Network.EMAIL and any(
            self.is_known(one.network) for one in subscriber.devices
        )
        return SATELLITE_AWAY if waits else SATELLITE_OFF

    def route_from_owner(
        self,
        owner: SubscriberInfo,
        recipient: Address,
        context: BatchContext,
        *,
        to_any_country: bool = False,
    ) -> Route | Refusal:
        """Return the route of a message that leaves as from this subscriber, or why there is none."""
        match recipient.network:
            case Network.EMAIL if self.name_of(recipient) is not None:
                return self.route_to_subscriber(self.mailbox(owner), recipient, context)
            case Network.EMAIL:
                return self._route_to_mail(owner, recipient)
            case Network.SMS if self.own_number_of(recipient) in context.by_number:
                own = Address(Network.SMS, owner.number) if owner.number else self.mailbox(owner)
                return self.route_to_subscriber(own, recipient, context)
            case Network.SMS:
                return self._route_to_sms(owner, recipient, context, to_any_country)
        return NOT_ADDRESSABLE

    def _route_to_mail(self, owner: SubscriberInfo, recipient: Address) -> Route | Refusal:
        if relay_mailbox(recipient.value) is None:
            return BAD_MAILBOX
        account = self.default_accounts.get(Network.EMAIL)
        if account is None:
            return MAIL_OFF
        return Route(owner.id, (PlannedDelivery(account, self.mailbox(owner), recipient),))

    def _route_to_sms(
        self,
        owner: SubscriberInfo,
        recipient: Address,
        context: BatchContext,
        to_any_country: bool,
    ) -> Route | Refusal:
        number, whatsapp = self.number_of(recipient), whatsapp_address(recipient.value)
        peer = number or whatsapp
        if peer is None:
            return BAD_NUMBER if recipient.value.startswith(("+", "00", WHATSAPP)) else NO_ANSWERS
        account = self.account_for(Address(Network.SMS, owner.number or ""))
        if account is None:
            return SMS_OFF
        if not owner.number:
            return NO_NUMBER
        if whatsapp and account not in self.whatsapp_accounts:
            return NO_WHATSAPP
        own = f"{WHATSAPP}{owner.number}" if whatsapp else owner.number
        if (peer, own) in context.opted_out:
            return OPTED_OUT
        known = context.known_numbers.get(owner.id, KnownNumbers(owner.number))
        # Over WhatsApp a text reaches only people who wrote a short while ago.
        if number and not (to_any_country or self.sms_countries.allows(number, known)):
            return bad_country(country_of(number))
        sender = Address(Network.SMS, own)
        return Route(owner.id, (PlannedDelivery(account, sender, Address(Network.SMS, peer)),))
