"""Parses the device texts of a batch, and names the senders of messages that go to text devices.

Parsing needs the store: the recipient depends on the codec of the device, its owner's contacts and its last sender.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower

from messaging.model.message import (
    Address,
    Bounce,
    Codec,
    DeadLetter,
    DeviceReport,
    DeviceText,
    Message,
    Network,
    OptOutChange,
    Receipt,
    RecipientCheck,
)
from messaging.store.accept.address_line import KnownAddresses, parse_address_line
from messaging.store.accept.refusals import UNKNOWN_DEVICE, Refusal
from messaging.store.accept.routing import Policy, RoutedMessage
from messaging.store.models import Contact, Delivery, Device
from messaging.store.states import GIVEN

WRONG_FORMAT = Refusal("undecodable", "the packet is not in the devices' message format")


@dataclass(frozen=True, slots=True)
class ParsedDeviceText:
    """A device text and its message; `reason` says why there is none."""

    source: DeviceText
    message: Message | None
    reason: str = ""

    @property
    def id(self) -> str:
        """The id of the device text, of its message and of its dead letter."""
        return self.source.id

    @property
    def record(self) -> Message | DeadLetter:
        """The message, or the dead letter without one."""
        return self.message or self.dead_letter(self.reason)

    def dead_letter(self, reason: str) -> DeadLetter:
        """Return the dead letter of the text."""
        return DeadLetter(
            id=self.source.id,
            sender=self.source.sender,
            via=self.source.via,
            raw=self.source.text.encode(),
            reason=reason,
            text=self.source.text,
        )


ParsedRecord = (
    Message
    | RecipientCheck
    | DeadLetter
    | OptOutChange
    | Bounce
    | Receipt
    | DeviceReport
    | Refusal
    | ParsedDeviceText
)
"""The records that are decided about: those of the sources, with parsed device texts."""


@dataclass(frozen=True, slots=True)
class _TextDevice:
    """The codec of a device, its owner, and the last sender of a message to it."""

    codec: str
    owner_id: int
    last_sender: Address | None


def parse_device_texts(
    texts: Sequence[DeviceText], policy: Policy, *, answers_last_sender: bool = True
) -> dict[DeviceText, ParsedDeviceText | Refusal]:
    """Parse the texts: two queries.

    Refuses a text from a device with another codec: its packet is not a text. Without `answers_last_sender` each text
    needs a recipient of its own.
    """
    devices = _find_devices({(text.via, text.sender.value) for text in texts})
    contacts = _find_contacts({device.owner_id for device in devices.values()}) if devices else {}
    if not answers_last_sender:
        devices = {key: replace(one, last_sender=None) for key, one in devices.items()}
    return {text: _parse(text, devices, contacts, policy) for text in texts}


def _parse(
    text: DeviceText,
    devices: Mapping[tuple[str, str], _TextDevice],
    contacts: Mapping[int, Mapping[str, Address]],
    policy: Policy,
) -> ParsedDeviceText | Refusal:
    device = devices.get((text.via, text.sender.value))
    if device is None:
        return UNKNOWN_DEVICE
    if policy.codec(text.via, device.codec) != Codec.TEXT:
        return WRONG_FORMAT
    known = KnownAddresses(contacts.get(device.owner_id, {}), device.last_sender)
    parsed = parse_address_line(text.text, known, policy.mail_domain)
    if isinstance(parsed, Refusal):
        return ParsedDeviceText(text, None, parsed.reason)
    message = Message(
        id=text.id,
        sender=text.sender,
        recipient=parsed[0],
        text=parsed[1],
        via=text.via,
        position=text.position,
        battery_percent=text.battery_percent,
        sos=text.sos,
    )
    return ParsedDeviceText(text, message)


def _find_devices(addresses: set[tuple[str, str]]) -> dict[tuple[str, str], _TextDevice]:
    rows = (
        Device.objects.filter(serial__in={serial for _, serial in addresses})
        .annotate(
            last_network=Subquery(_messages_to_device().values("sender_network")[:1]),
            last_sender=Subquery(_messages_to_device().values("sender")[:1]),
            answer_address=Subquery(_messages_to_device().values("message__answer_address")[:1]),
        )
        .values_list(
            *("network", "serial", "codec", "owner_id"),
            *("last_network", "last_sender", "answer_address"),
        )
    )
    return {
        (account, serial): _TextDevice(
            codec, owner, Address(Network(network), answer or sender) if sender else None
        )
        for account, serial, codec, owner, network, sender, answer in rows
        if (account, serial) in addresses
    }


def _messages_to_device() -> "QuerySet[Delivery]":
    # Messages of the gateway itself have no sender. Lists, machines and names instead of numbers take no answers.
    takes_none = Q(message__takes_answers=False) | (
        Q(sender_network=Network.SMS.value) & ~Q(sender__startswith="+")
    )
    sent = Q(state__in=GIVEN) | Q(parts_sent__gt=0)
    rows = Delivery.objects.filter(sent, device=OuterRef("pk"))
    return rows.exclude(sender="").exclude(takes_none).order_by("-id")


def _find_contacts(owners: set[int]) -> dict[int, dict[str, Address]]:
    contacts: dict[int, dict[str, Address]] = defaultdict(dict)
    rows = Contact.objects.filter(owner_id__in=owners)
    for owner, name, address in rows.values_list("owner_id", "name", "address"):
        contacts[owner][name] = Address.of_contact(address)
    return contacts


def name_senders(routed: Sequence[RoutedMessage], policy: Policy) -> list[RoutedMessage]:
    """Return the messages with their senders named as in the contacts of text devices' owners: one query, or none.

    Of several names for one address the first in the alphabet is taken.
    """
    wanted = {
        (one.route.subscriber_id or 0, delivery.sender.value.lower())
        for one in routed
        for delivery in one.route.deliveries
        if delivery.device_id
        and policy.codec(delivery.via, delivery.codec) == Codec.TEXT
        and delivery.sender.value
    }
    if not wanted:
        return list(routed)
    rows = (
        Contact.objects.annotate(lower=Lower("address"))
        .filter(owner_id__in={owner for owner, _ in wanted}, lower__in={one for _, one in wanted})
        .order_by("-name")
        .values_list("owner_id", "lower", "name")
    )
    names = {(owner, lower): name for owner, lower, name in rows}
    return [_name_sender(one, names) for one in routed]


def _name_sender(routed: RoutedMessage, names: Mapping[tuple[int, str], str]) -> RoutedMessage:
    owner = routed.route.subscriber_id or 0
    deliveries = tuple(
        replace(one, sender_name=names.get((owner, one.sender.value.lower()), ""))
        for one in routed.route.deliveries
    )
    return replace(routed, route=replace(routed.route, deliveries=deliveries))
