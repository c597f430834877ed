"""Looks up the rows that a batch refers to, in a number of queries that does not grow with the batch."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from messaging.model.locale import Locale
from messaging.model.message import (
    Address,
    Bounce,
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
from messaging.store.accept.context import BatchContext, DeviceInfo, SenderDevice, SubscriberInfo
from messaging.store.accept.routing import Policy
from messaging.store.admission.lookup import look_up_admission
from messaging.store.admission.terms import SenderMode
from messaging.store.budgets.lookup import has_budgets
from messaging.store.db.sql import Row, Select
from messaging.store.models import Contact
from messaging.store.outgoing.countries import KnownNumbers
from messaging.store.outgoing.known_numbers import find_known_numbers
from messaging.store.outgoing.limits import count_sent

_STORED_IDS = Select(
    "SELECT id FROM users_message WHERE {} UNION ALL SELECT id FROM users_removedmessage WHERE {}",
    "id",
    "id",
)
_SUBSCRIBERS = Select(
    "SELECT s.id, s.name, s.number, s.is_active, s.senders,"
    " d.id, d.network, d.serial, d.codec, d.nickname, d.alphabet,"
    " COALESCE(NULLIF(d.time_zone, ''), s.time_zone), COALESCE(NULLIF(d.language, ''), s.language),"
    " EXISTS (SELECT 1 FROM users_budget)"
    " FROM users_subscriber s LEFT JOIN users_device d ON d.owner_id = s.id AND d.is_active"
    " WHERE {} OR {}"
    " ORDER BY s.id, d.is_primary DESC, COALESCE(d.heard_at, '0001-01-01') DESC, d.id",
    "s.name",
    "s.number",
)
_SENDER_DEVICES = Select(
    "SELECT d.network, d.serial, d.id, d.is_active, d.adds_position,"
    " s.id, s.name, s.number, s.is_active, d.codec, d.alphabet,"
    " COALESCE(NULLIF(d.time_zone, ''), s.time_zone), COALESCE(NULLIF(d.language, ''), s.language),"
    " EXISTS (SELECT 1 FROM users_budget)"
    " FROM users_device d JOIN users_subscriber s ON s.id = d.owner_id WHERE {} AND {}",
    "d.network",
    "d.serial",
)
_OPT_OUTS = Select("SELECT peer, number FROM users_optout WHERE {}", "peer")
_DELIVERIES = Select("SELECT id, message_id FROM users_delivery WHERE {}", "id")
_FromAuthor = Message | DeviceText | DeadLetter | Bounce | DeviceReport


@dataclass(slots=True)
class References:
    """The names, numbers, devices and ids that a batch refers to.

    `senders` has the devices that send a message, each with the numbers that they text. `devices` and
    `emergency_devices` are pairs of an account and a serial, `deliveries` of a delivery and its message. `authors` are
    the addresses, in lower case, of the authors of messages to subscribers and of the recipients of devices.
    `has_doubts`: a message may be held in every mode, as spam or for an author that is disputed.
    """

    names: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    devices: set[tuple[str, str]] = field(default_factory=set)
    emergency_devices: set[tuple[str, str]] = field(default_factory=set)
    senders: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    peers: set[str] = field(default_factory=set)
    authors: set[str] = field(default_factory=set)
    has_doubts: bool = False
    message_ids: set[str] = field(default_factory=set)
    deliveries: set[tuple[int, str]] = field(default_factory=set)


def references_of(records: Iterable[Inbound], policy: Policy) -> References:
    """Collect the references of a batch."""
    found = References()
    for record in records:
        match record:
            case OptOutChange():
                found.peers.add(policy.number_of(record.sender) or record.sender.value)
                found.message_ids.add(record.id)
                continue
            case Bounce():
                found.deliveries.add((record.delivery_id, record.message_id))
            case DeviceReport() if record.sos is not None:
                found.emergency_devices.add((record.via, record.sender.value))
        if not isinstance(record, RecipientCheck | Receipt):
            found.message_ids.add(record.id)
            _refer_to_author(record, policy, found)
        recipient: Address | None = getattr(record, "recipient", None)
        if recipient is not None and (name := policy.name_of(recipient)):
            found.names.add(name)
        elif recipient is not None and (number := policy.own_number_of(recipient)):
            found.numbers.add(number)
    return found


def _refer_to_author(record: _FromAuthor, policy: Policy, found: References) -> None:
    """Add the device that a record comes from with whom its message goes to, or the author of any other message."""
    if record.sender.network is Network.SATELLITE:
        device = record.via, record.sender.value
        found.devices.add(device)
        if isinstance(record, Message):
            texted = policy.number_of(record.recipient)
            peer = texted or policy.peer_of(record.recipient)
            found.senders.setdefault(device, set()).update({texted} if texted else ())
            found.peers |= {peer} if peer else set()
            found.authors.add((texted or record.recipient.value).lower())
    elif isinstance(record, Message) and record.sender.value:
        found.authors.update(policy.spellings(record.sender))
        doubts = record.authorship and (
            record.authorship.spam_mark or record.authorship.is_disputed
        )
        found.has_doubts = found.has_doubts or bool(doubts)


def look_up(
    found: References, policy: Policy, now: datetime, *, counts_waiting: bool
) -> BatchContext:
    """Return the rows of the references: at most one query for each kind of row."""
    subscriber_rows = _SUBSCRIBERS(found.names, found.numbers)
    # May find a serial on another account of the batch too: the key tells them apart.
    device_rows = (
        _SENDER_DEVICES(*map(set, zip(*found.devices, strict=True))) if found.devices else []
    )
    subscribers = _subscribers_of(subscriber_rows)
    devices = _sender_devices_of(device_rows)
    # The rows say it, so that acceptance without budgets takes no further statement.
    said = [bool(row[-1]) for row in (*subscriber_rows[:1], *device_rows[:1])]
    is_alarm_alone = not said and bool(found.emergency_devices)
    ids = {one.id for one in subscribers} | {device.owner.id for device in devices.values()}
    emergencies = {devices[key].owner.id for key in found.emergency_devices & devices.keys()}
    senders = {devices[key]: numbers for key, numbers in found.senders.items() if key in devices}
    own = {address for one in senders for address in policy.author_addresses(one.owner)}
    authors = found.authors | own if found.authors else set()
    # With budgets a message may be held in every mode.
    may_hold = found.has_doubts or any(said)
    holding = {one.id for one in subscribers if may_hold or one.senders is SenderMode.KNOWN}
    return BatchContext(
        by_name={subscriber.name: subscriber for subscriber in subscribers},
        by_number={one.number: one for one in subscribers if one.number},
        sender_devices=devices,
        opted_out=set(_OPT_OUTS(found.peers)),
        deliveries=found.deliveries & set(_DELIVERIES({number for number, _ in found.deliveries})),
        stored_ids={
            message_id for (message_id,) in _STORED_IDS(found.message_ids, found.message_ids)
        },
        emergency_contacts=_find_emergency_contacts(emergencies) if emergencies else {},
        known_numbers=_find_known_numbers(senders, policy, now),
        sent=count_sent([device.device_id for device in senders], now),
        admission=look_up_admission(ids, authors, holding, now, ids if counts_waiting else ()),
        has_budgets=any(said) or (is_alarm_alone and has_budgets()),
    )


def _subscribers_of(rows: Iterable[Row]) -> list[SubscriberInfo]:
    subscribers: dict[int, SubscriberInfo] = {}
    devices: dict[int, tuple[DeviceInfo, ...]] = {}
    # Names are stored in lower case, as `Policy.name_of` returns them.
    for row in rows:
        number, device = row[0], (*row[5:11], Locale(*row[11:13]))
        if device[0] is not None:
            devices[number] = (*devices.get(number, ()), DeviceInfo(*device))
        subscribers[number] = SubscriberInfo(
            number,
            row[1],
            row[2],
            bool(row[3]),
            devices.get(number, ()),
            SenderMode(row[4]),
        )
    return list(subscribers.values())


def _sender_devices_of(rows: Iterable[Row]) -> Mapping[tuple[str, str], SenderDevice]:
    devices = {}
    for row in rows:
        owner = SubscriberInfo(row[5], row[6], row[7], bool(row[8]))
        device = (row[2], bool(row[3]), owner, bool(row[4]), *row[9:11], Locale(*row[11:13]))
        devices[row[0], row[1]] = SenderDevice(*device)
    return devices


def _find_known_numbers(
    senders: Mapping[SenderDevice, Collection[str]], policy: Policy, now: datetime
) -> Mapping[int, KnownNumbers]:
    texted: dict[int, set[str]] = {}
    for device, numbers in senders.items():
        if numbers:
            texted.setdefault(device.owner.id, set()).update(numbers)
    own = {device.owner.id: device.owner.number for device in senders}
    return find_known_numbers(texted, own, policy.sms_countries, now) if texted else {}


def _find_emergency_contacts(owners: set[int]) -> dict[int, list[Address]]:
    contacts: dict[int, list[Address]] = {}
    rows = Contact.objects.filter(is_emergency=True, owner_id__in=owners).order_by("id")
    for owner, address in rows.values_list("owner_id", "address"):
        contacts.setdefault(owner, []).append(Address.of_contact(address))
    return contacts
