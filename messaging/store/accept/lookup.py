"""Looks up everybody whom a batch mentions, in a number of queries that does not grow with the batch."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Count, Q

from messaging.model.message import (
    Address,
    Bounce,
    DeadLetter,
    DeviceReport,
    Inbound,
    Message,
    Network,
    OptOutChange,
    RecipientCheck,
)
from messaging.store.accept.context import BatchContext, DeviceInfo, SenderDevice, SubscriberInfo
from messaging.store.accept.policy import Policy
from messaging.store.db.prepared import Prepared
from messaging.store.models import WAITING, Contact, Delivery, Device, OptOut, Subscriber
from messaging.store.models import Message as StoredMessage


@dataclass(slots=True)
class Mentions:
    """The names, numbers, devices and ids that a batch mentions."""

    names: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    devices: set[tuple[str, str]] = field(default_factory=set)
    peers: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    deliveries: set[tuple[int, str]] = field(default_factory=set)
    calls: set[tuple[str, str]] = field(default_factory=set)
    """The devices that call for help."""


def mentions(records: Iterable[Inbound], policy: Policy) -> Mentions:
    """Collect what has to be looked up."""
    found = Mentions()
    for record in records:
        match record:
            case RecipientCheck():
                _mention_recipient(found, record.recipient, policy)
            case OptOutChange():
                found.peers.add(policy.number_of(record.sender) or record.sender.value)
            case DeadLetter():
                found.ids.add(record.id)
                _mention_sender(found, record.sender, record.via)
                if record.recipient is not None:
                    _mention_recipient(found, record.recipient, policy)
            case Bounce():
                found.ids.add(record.id)
                found.deliveries.add((record.delivery_id, record.message_id))
                _mention_recipient(found, record.recipient, policy)
            case DeviceReport():
                _mention_sender(found, record.sender, record.via)
                if record.sos is not None:
                    found.ids.add(record.id)
                    found.calls.add((record.via, record.sender.value))
            case Message():
                found.ids.add(record.id)
                _mention_sender(found, record.sender, record.via)
                _mention_recipient(found, record.recipient, policy)
                _mention_peer(found, record, policy)
    return found


def _mention_sender(found: Mentions, sender: Address, via: str) -> None:
    if sender.network is Network.SATELLITE:
        found.devices.add((via, sender.value))


def _mention_recipient(found: Mentions, recipient: Address, policy: Policy) -> None:
    if name := policy.name_of(recipient):
        found.names.add(name)
    elif number := policy.number_of(recipient):
        found.numbers.add(number)


def _mention_peer(found: Mentions, message: Message, policy: Policy) -> None:
    if message.sender.network is not Network.SATELLITE:
        return
    if number := policy.number_of(message.recipient):
        found.peers.add(number)


_IDS = Prepared(lambda ids: StoredMessage.objects.filter(id__in=ids).values_list("id"))


def stored_ids(found: Mentions) -> set[str]:
    """Return which of the messages are in the store already: one query."""
    return {row[0] for row in _IDS(found.ids)}


def look_up(found: Mentions) -> BatchContext:
    """Return the facts about the batch: five queries at most."""
    people, authors = _people(found), _authors(found.devices)
    return BatchContext(
        by_name={person.name: person for person in people},
        by_number={person.number: person for person in people if person.number},
        sender_devices=authors,
        opted_out=_opted_out(found.peers),
        deliveries=_deliveries(found.deliveries),
        emergency_contacts=_emergency_contacts(
            {authors[call].owner.id for call in found.calls if call in authors}
        ),
    )


_PERSON = ("id", "name", "number", "is_active")
_DEVICE = (
    "devices__id",
    "devices__network",
    "devices__serial",
    "devices__codec",
    "devices__is_active",
)
# The names are in lower case already (`Policy.name_of`): what is prepared does not pass through the field.
_PEOPLE = Prepared(
    lambda names, numbers: (
        Subscriber.objects.filter(Q(name__in=names) | Q(number__in=numbers))
        .order_by("id", "devices__id")
        .values_list(*_PERSON, *_DEVICE)
    )
)


def _people(found: Mentions) -> list[SubscriberInfo]:
    people: dict[int, SubscriberInfo] = {}
    for row in _PEOPLE(found.names, found.numbers):
        person = people.get(row[0]) or SubscriberInfo(*row[:4])
        people[person.id] = _with_device(person, *row[4:])
    return list(people.values())


def _with_device(
    person: SubscriberInfo,
    device_id: int | None,
    network: str,
    serial: str,
    codec: str,
    is_active: bool,
) -> SubscriberInfo:
    if device_id is None or not is_active:
        return person
    devices = (*person.devices, DeviceInfo(device_id, network, serial, codec))
    return SubscriberInfo(person.id, person.name, person.number, person.is_active, devices)


_AUTHOR = ("network", "serial", "id", "is_active", "adds_position")
_AUTHORS = Prepared(
    lambda serials: Device.objects.filter(serial__in=serials).values_list(
        *_AUTHOR, *(f"owner__{name}" for name in _PERSON)
    )
)


def _authors(devices: set[tuple[str, str]]) -> Mapping[tuple[str, str], SenderDevice]:
    rows = _AUTHORS({serial for _, serial in devices})
    return {
        (row[0], row[1]): SenderDevice(row[2], row[3], SubscriberInfo(*row[5:9]), row[4])
        for row in rows
    }


_OPT_OUTS = Prepared(
    lambda peers: OptOut.objects.filter(peer__in=peers).values_list("peer", "number")
)


def _opted_out(peers: set[str]) -> set[tuple[str, str]]:
    return {(row[0], row[1]) for row in _OPT_OUTS(peers)}


def _deliveries(named: set[tuple[int, str]]) -> set[tuple[int, str]]:
    if not named:
        return set()
    rows = Delivery.objects.filter(id__in={number for number, _ in named})
    return named & set(rows.values_list("id", "message_id"))


def _emergency_contacts(owners: set[int]) -> dict[int, list[Address]]:
    contacts: dict[int, list[Address]] = {}
    if owners:
        rows = Contact.objects.filter(is_emergency=True, owner_id__in=owners).order_by("id")
        for owner, address in rows.values_list("owner_id", "address"):
            contacts.setdefault(owner, []).append(Address.of_contact(address))
    return contacts


_BACKLOG = Prepared(
    lambda subscribers: (
        Delivery.objects.filter(WAITING, subscriber__id__in=subscribers)
        .order_by()
        .values_list("subscriber_id", "via")
        .annotate(waiting=Count("id"))
    )
)


def waiting_for(subscribers: Collection[int]) -> dict[tuple[int, str], int]:
    """Return how many deliveries wait for each subscriber on each provider: one query."""
    return {(row[0] or 0, row[1]): row[2] for row in _BACKLOG(subscribers)}
