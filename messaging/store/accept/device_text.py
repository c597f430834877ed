"""Parses the device texts of a batch, and names the senders of messages that go to text devices.

Parsing needs the store: the recipient depends on the codec of the device, its owner's contacts, and its last
messages.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower

from messaging.model.address_syntax import WHATSAPP
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
from messaging.store.accept.address_line import (
    KnownAddresses,
    parse_address_line,
    split_first_word,
)
from messaging.store.accept.refusals import UNKNOWN_DEVICE, Refusal
from messaging.store.accept.routing import Policy, RoutedMessage
from messaging.store.models import Contact, Delivery, Device
from messaging.store.models import Message as Stored
from messaging.store.states import GIVEN
from messaging.words.device.display_name import display_name_to_show, names_that_it_imitates
from messaging.words.device.invitation import localise

# Senders of SMS that are names or short codes.
_IS_NAME: Final = Q(sender_network=Network.SMS.value) & ~(
    Q(sender__startswith="+") | Q(sender__startswith=f"{WHATSAPP}+")
)
_MACHINES: Final = (
    "mailer-daemon@", "postmaster@", "noreply@", "no-reply@", "no_reply@", "donotreply@", "do-not-reply@",
    "bounce@", "bounces@",
)  # fmt: skip
_IS_MACHINE: Final = reduce(or_, (Q(recipient__istartswith=one) for one in _MACHINES))
WRONG_FORMAT = Refusal("undecodable", "the packet is not in the devices' message format")


@dataclass(frozen=True, slots=True)
class ParsedDeviceText:
    """A device text and its message; `reason` says why there is none.

    `is_answer` says that it names no recipient; `echo` then names the one that it goes to, where the last message to
    the device told another address.
    """

    source: DeviceText
    message: Message | None
    reason: str = ""
    echo: str = ""
    is_answer: bool = False

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
    """The row of a device, its codec, its owner, and the recipient of its texts that name none.

    `shown` is the address that the last message to it told its owner: that of its sender, or that of an echo.
    """

    id: int
    codec: str
    owner_id: int
    default: Address | None
    shown: str = ""


def parse_device_texts(
    texts: Sequence[DeviceText], policy: Policy, *, has_default: bool = True
) -> dict[DeviceText, ParsedDeviceText | Refusal]:
    """Parse the texts in their order: two queries, and one more for those that name no recipient.

    Refuses a text from a device with another codec: its packet is not a text. Without `has_default` each text needs a
    recipient of its own.
    """
    devices = _find_devices({(text.via, text.sender.value) for text in texts})
    contacts = _find_contacts({device.owner_id for device in devices.values()}) if devices else {}
    if not has_default:
        devices = {key: replace(one, default=None) for key, one in devices.items()}
    parsed: dict[DeviceText, ParsedDeviceText | Refusal] = {}
    for text in texts:
        found = parsed[text] = _parse(text, devices, contacts, policy)
        if has_default and isinstance(found, ParsedDeviceText) and found.message:
            # The next text of the batch follows this one.
            key = (text.via, text.sender.value)
            devices[key] = replace(devices[key], default=found.message.recipient)
    return _refuse_unanswerable(parsed, devices)


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
    of_owner = contacts.get(device.owner_id, {})
    default = device.default
    known = KnownAddresses(of_owner, default)
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
    echo = ""
    is_answer = default is not None and parsed[0] is default
    if is_answer and device.shown and device.shown.lower() != parsed[0].value.lower():
        target = parsed[0].value.lower()
        names = (name for name, one in of_owner.items() if one.value.lower() == target)
        name = next(names, "")
        echo = f"@{name}" if name else parsed[0].value
    return ParsedDeviceText(text, message, echo=echo, is_answer=is_answer)


def _refuse_unanswerable(
    parsed: dict[DeviceText, ParsedDeviceText | Refusal],
    devices: Mapping[tuple[str, str], _TextDevice],
) -> dict[DeviceText, ParsedDeviceText | Refusal]:
    """Refuse the texts that begin with the name or the short code of a sender that takes no answers."""
    words: dict[DeviceText, tuple[int, tuple[str, str]]] = {}
    for text, one in parsed.items():
        if isinstance(one, ParsedDeviceText) and one.is_answer:
            first, rest = split_first_word(text.text)
            second, _ = split_first_word(rest)
            of_text = first.lower(), f"{first} {second}".lower()
            words[text] = devices[text.via, text.sender.value].id, of_text
    if not words:
        return parsed
    names = {name for _, of_text in words.values() for name in of_text}
    rows = (
        Delivery.objects.annotate(lower=Lower("sender"))
        .filter(_IS_NAME, device_id__in={device for device, _ in words.values()}, lower__in=names)
        .values_list("device_id", "lower", "sender")
    )
    senders = {(device, lower): sender for device, lower, sender in rows}
    for text, (device, of_text) in words.items():
        sender = next((senders[device, one] for one in of_text if (device, one) in senders), "")
        if sender:
            parsed[text] = ParsedDeviceText(text, None, f"{sender} takes no answers")
    return parsed


def _find_devices(addresses: set[tuple[str, str]]) -> dict[tuple[str, str], _TextDevice]:
    rows = (
        Device.objects.filter(serial__in={serial for _, serial in addresses})
        .annotate(
            from_network=Subquery(_messages_of_contacts().values("sender_network")[:1]),
            from_address=Subquery(_messages_of_contacts().values("sender")[:1]),
            answer_address=Subquery(_messages_of_contacts().values("message__answer_address")[:1]),
            shown_sender=Subquery(_downlinks().values("sender")[:1]),
            shown_answer=Subquery(_downlinks().values("message__answer_address")[:1]),
            to_network=Subquery(_messages_from_device().values("recipient_network")[:1]),
            to_address=Subquery(_messages_from_device().values("recipient")[:1]),
        )
        .values()
    )
    devices = {(str(row["network"]), str(row["serial"])): _text_device(row) for row in rows}
    return {key: one for key, one in devices.items() if key in addresses}


def _text_device(row: Mapping[str, Any]) -> _TextDevice:
    network, address = row["to_network"], row["to_address"]
    if not address:
        network, address = row["from_network"], row["answer_address"] or row["from_address"]
    return _TextDevice(
        id=row["id"],
        codec=row["codec"],
        owner_id=row["owner_id"],
        default=Address(Network(network), address) if address else None,
        shown=row["shown_answer"] or row["shown_sender"] or "",
    )


def _messages_from_device() -> "QuerySet[Stored]":
    # Dead letters of the device have their bytes, and calls for help no recipient.
    sent = Stored.objects.filter(device=OuterRef("pk"), raw__isnull=True)
    people = sent.exclude(_IS_MACHINE).exclude(recipient="").exclude(recipient_network="")
    # Texts of one packet are stored at the same moment.
    return people.order_by("-created_at", "-deliveries__id")


def _messages_of_contacts() -> "QuerySet[Delivery]":
    # Strangers, lists, machines and names instead of numbers are not answered.
    contact = Contact.objects.annotate(lower=Lower("address")).filter(
        owner_id=OuterRef(OuterRef("owner_id")), lower=Lower(OuterRef("sender"))
    )
    return (
        _downlinks().exclude(message__takes_answers=False).exclude(_IS_NAME).filter(Exists(contact))
    )


def _downlinks() -> "QuerySet[Delivery]":
    # Messages of the gateway itself have no sender; only an echo has an address for answers.
    sent = Q(state__in=GIVEN) | Q(parts_sent__gt=0)
    rows = Delivery.objects.filter(sent, device=OuterRef("pk"))
    return rows.exclude(sender="", message__answer_address="").order_by("-id")


def _find_contacts(owners: set[int]) -> dict[int, dict[str, Address]]:
    contacts: dict[int, dict[str, Address]] = defaultdict(dict)
    rows = Contact.objects.filter(owner_id__in=owners)
    for owner, name, address in rows.values_list("owner_id", "name", "address"):
        contacts[owner][name] = Address.of_contact(address)
    return contacts


def name_senders(routed: Sequence[RoutedMessage], policy: Policy) -> list[RoutedMessage]:
    """Return the messages with their senders named for text devices: one query, or none.

    The name is that among the contacts of the owner, of several the first in the alphabet; else the display name,
    unless a reader could take it for that of a contact.
    """
    wanted: set[tuple[int, str]] = set()
    display_names: dict[str, str] = {}
    for one in routed:
        for delivery in one.route.deliveries:
            codec, sender = policy.codec(delivery.via, delivery.codec), delivery.sender.value
            if delivery.device_id and codec == Codec.TEXT and sender:
                wanted.add((one.route.subscriber_id or 0, sender.lower()))
                name = display_name_to_show(one.message.display_name, sender)
                display_names[one.message.id] = name
    if not wanted:
        return list(routed)
    imitated = {name: names_that_it_imitates(name) for name in display_names.values() if name}
    is_like = Q(name__in=frozenset[str]().union(*imitated.values())) if imitated else Q()
    contacts = list(
        Contact.objects.annotate(lower=Lower("address"))
        .filter(
            Q(lower__in={one for _, one in wanted}) | is_like,
            owner_id__in={owner for owner, _ in wanted},
        )
        .order_by("-name")
        .values_list("owner_id", "lower", "name")
    )
    names = {(owner, lower): name for owner, lower, name in contacts}
    known = {(owner, name) for owner, _, name in contacts}
    named = []
    for one in routed:
        owner, name = one.route.subscriber_id or 0, display_names.get(one.message.id, "")
        is_safe = not any((owner, other) in known for other in imitated.get(name, ()))
        named.append(_name_sender(one, names, name if is_safe else ""))
    return named


def localise_invitation(routed: RoutedMessage) -> RoutedMessage:
    """Return the message with its invitation in the language and the time zone of the device, of several the first."""
    message = routed.message
    if message.invitation is None or not routed.route.deliveries:
        return routed
    locale = routed.route.deliveries[0].locale
    texts = (
        localise(one, message.invitation, locale) for one in (message.text, message.whole_text)
    )
    text, whole_text = texts
    local = replace(message, text=text, whole_text=whole_text, invitation=None)
    return replace(routed, message=local)


def _name_sender(
    routed: RoutedMessage, names: Mapping[tuple[int, str], str], display_name: str
) -> RoutedMessage:
    owner = routed.route.subscriber_id or 0
    deliveries = []
    for one in routed.route.deliveries:
        contact = names.get((owner, one.sender.value.lower()), "")
        shown = "" if contact or not one.device_id else display_name
        deliveries.append(replace(one, sender_name=contact, display_name=shown))
    return replace(routed, route=replace(routed.route, deliveries=tuple(deliveries)))
