"""Finds out whom typed texts are for, by what the store knows of their devices."""

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
    Inbound,
    Message,
    Network,
    OptOutChange,
    Receipt,
    RecipientCheck,
)
from messaging.store.accept.address_line import Known, read
from messaging.store.accept.policy import UNKNOWN_DEVICE, Policy, Refusal
from messaging.store.accept.write import RoutedMessage
from messaging.store.models import Contact, Delivery, Device
from messaging.store.states import GIVEN

NOT_THE_FORMAT = Refusal("undecodable", "the packet is not in the devices' message format")


@dataclass(frozen=True, slots=True)
class ParsedDeviceText:
    """A typed text, and the message that it is; without one the reason."""

    typed: DeviceText
    message: Message | None
    reason: str = ""

    @property
    def id(self) -> str:
        """The id of the typed text, of its message, and of what is kept of it."""
        return self.typed.id

    @property
    def record(self) -> Message | DeadLetter:
        """The message, or what is kept when there is none."""
        return self.message or self.kept(self.reason)

    def kept(self, reason: str) -> DeadLetter:
        """Return what is kept for people when it goes nowhere."""
        typed = self.typed
        return DeadLetter(
            id=typed.id, sender=typed.sender, via=typed.via, raw=typed.text.encode(), reason=reason
        )


Readable = (
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
"""Everything that is decided about, once typed texts are read."""


@dataclass(frozen=True, slots=True)
class _Writer:
    """A device: how it writes, whose it is, and who wrote to it last."""

    codec: str
    owner_id: int
    last: Address | None


def parse_device_text(records: Sequence[Inbound | Refusal], policy: Policy) -> list[Readable]:
    """Return the records with each typed text read: two queries, none without such texts.

    What looks like a text from a device that does not write texts is refused, and left to its network's receiver.
    """
    typed = [record for record in records if isinstance(record, DeviceText)]
    writers = _writers({(one.via, one.sender.value) for one in typed}) if typed else {}
    contacts = _contacts({writer.owner_id for writer in writers.values()}) if writers else {}
    return [
        _read(record, writers, contacts, policy) if isinstance(record, DeviceText) else record
        for record in records
    ]


def _read(
    typed: DeviceText,
    writers: Mapping[tuple[str, str], _Writer],
    contacts: Mapping[int, Mapping[str, Address]],
    policy: Policy,
) -> ParsedDeviceText | Refusal:
    writer = writers.get((typed.via, typed.sender.value))
    if writer is None:
        return UNKNOWN_DEVICE
    if policy.codec(typed.via, writer.codec) != Codec.TEXT:
        return NOT_THE_FORMAT
    known = Known(contacts.get(writer.owner_id, {}), writer.last)
    found = read(typed.text, known, policy.mail_domain)
    if isinstance(found, Refusal):
        return ParsedDeviceText(typed, None, found.reason)
    return ParsedDeviceText(typed, _message(typed, *found))


def _message(typed: DeviceText, to: Address, text: str) -> Message:
    return Message(
        id=typed.id,
        sender=typed.sender,
        recipient=to,
        text=text,
        via=typed.via,
        position=typed.position,
        battery_percent=typed.battery_percent,
        sos=typed.sos,
    )


def _writers(devices: set[tuple[str, str]]) -> dict[tuple[str, str], _Writer]:
    rows = (
        Device.objects.filter(serial__in={serial for _, serial in devices})
        .annotate(
            last_network=Subquery(_reached().values("sender_network")[:1]),
            last_sender=Subquery(_reached().values("sender")[:1]),
        )
        .values_list("network", "serial", "codec", "owner_id", "last_network", "last_sender")
    )
    return {
        (network, serial): _Writer(codec, owner, Address(Network(kind), last) if last else None)
        for network, serial, codec, owner, kind, last in rows
        if (network, serial) in devices
    }


def _reached() -> "QuerySet[Delivery]":
    """What the device was given, newest first; not what the gateway itself had to say, which has no sender."""
    given = Q(state__in=GIVEN) | Q(parts_sent__gt=0)
    rows = Delivery.objects.filter(given, device=OuterRef("pk"))
    return rows.exclude(sender="").order_by("-id")


def _contacts(owners: set[int]) -> dict[int, dict[str, Address]]:
    found: dict[int, dict[str, Address]] = defaultdict(dict)
    rows = Contact.objects.filter(owner_id__in=owners)
    for owner, name, address in rows.values_list("owner_id", "name", "address"):
        found[owner][name] = Address.of_contact(address)
    return found


def name_senders(routed: Sequence[RoutedMessage], policy: Policy) -> list[RoutedMessage]:
    """Return the same with the names that owners of text devices gave to who writes to them: one query, or none."""
    wanted = {
        (one.route.subscriber_id or 0, leg.sender.value.lower())
        for one in routed
        for leg in one.route.deliveries
        if leg.device_id and policy.codec(leg.via, leg.codec) == Codec.TEXT and leg.sender.value
    }
    names = _names(wanted) if wanted else {}
    return [_named(one, names) for one in routed] if names else list(routed)


def _names(wanted: set[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """Return the names; the first in the alphabet where somebody has several."""
    rows = (
        Contact.objects.annotate(lower=Lower("address"))
        .filter(owner_id__in={owner for owner, _ in wanted}, lower__in={one for _, one in wanted})
        .order_by("-name")
    )
    return {
        (owner, lower): name for owner, lower, name in rows.values_list("owner_id", "lower", "name")
    }


def _named(routed: RoutedMessage, names: Mapping[tuple[int, str], str]) -> RoutedMessage:
    owner = routed.route.subscriber_id or 0
    legs = tuple(
        replace(leg, sender_name=names.get((owner, leg.sender.value.lower()), ""))
        for leg in routed.route.deliveries
    )
    return replace(routed, route=replace(routed.route, deliveries=legs))
