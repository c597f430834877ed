"""The subscribers and their devices, as the command line lists and changes them.

Every function raises InvalidInput for wrong input and Unavailable when the store is away.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, Value
from django.db.models.functions import Coalesce

from messaging.model.address_syntax import e164, subscriber_name
from messaging.model.locale import language_code, time_zone_name
from messaging.store.admission.terms import SenderMode
from messaging.store.console.device_network import check_serial, known_networks
from messaging.store.console.save import InvalidInput, find_subscriber, save
from messaging.store.db.connection import guard
from messaging.store.models import Device, OwnerMailbox, Subscriber


@dataclass(frozen=True, slots=True)
class SubscriberRow:
    """A subscriber, for tables and `--json`. `mail` is the mailbox that hears of held messages once it is confirmed."""

    name: str
    number: str | None
    is_active: bool
    devices: int
    emergency_contacts: int = 0
    time_zone: str = "UTC"
    language: str = "en"
    senders: str = SenderMode.OPEN
    mail: str = ""
    is_mail_confirmed: bool = False

    @property
    def hears_of_held(self) -> str:
        """The mailbox that hears of held messages, in words; in capitals where none does though messages are held."""
        if self.is_mail_confirmed:
            return self.mail
        none = "NONE" if self.senders == SenderMode.KNOWN else ""
        return f"{none} ({self.mail} is not confirmed)".strip() if self.mail else none


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device, for tables and `--json`. `time_zone` and `language` are None for those of its owner."""

    network: str
    serial: str
    nickname: str
    owner: str
    is_active: bool
    codec: str = ""
    adds_position: bool = True
    is_primary: bool = False
    heard_at: datetime | None = None
    alphabet: str = ""
    time_zone: str | None = None
    language: str | None = None


@guard
def add_subscriber(
    name: str,
    number: str | None = None,
    *,
    senders: str = SenderMode.OPEN,
    time_zone: str = "UTC",
    language: str = "en",
) -> SubscriberRow:
    """Add a subscriber with the mailbox `name` and, optionally, an E.164 number. `senders` is the `SenderMode`."""
    subscriber = Subscriber(
        name=_name(name),
        number=_number(number),
        senders=senders,
        time_zone=_read(time_zone_name, time_zone),
        language=_read(language_code, language),
    )
    return _subscriber_row(save(subscriber))


@guard
def list_subscribers() -> list[SubscriberRow]:
    """Return all subscribers, by name."""
    rows = Subscriber.objects.annotate(
        owned=Count("devices", distinct=True),
        told=Count("contacts", filter=Q(contacts__is_emergency=True), distinct=True),
        mail=Coalesce("own_mailbox__address", Value("")),
        confirmed=Q(own_mailbox__confirmed_at__isnull=False),
    )
    columns = (
        *("name", "number", "is_active", "owned", "told"),
        *("time_zone", "language", "senders", "mail", "confirmed"),
    )
    return [SubscriberRow(*row) for row in rows.order_by("name").values_list(*columns)]


@guard
def open_subscribers() -> list[str]:
    """Return the active subscribers whose devices get messages of all authors: one query."""
    rows = Subscriber.objects.filter(is_active=True, senders=SenderMode.OPEN.value)
    return list(rows.order_by("name").values_list("name", flat=True))


@guard
def change_subscriber(
    name: str,
    *,
    number: str | None = None,
    is_active: bool | None = None,
    time_zone: str | None = None,
    language: str | None = None,
    senders: str | None = None,
) -> SubscriberRow:
    """Change the fields that are not None; an empty number removes the number."""
    subscriber = find_subscriber(name)
    if number is not None:
        subscriber.number = _number(number)
    if is_active is not None:
        subscriber.is_active = is_active
    if time_zone is not None:
        subscriber.time_zone = _read(time_zone_name, time_zone)
    if language is not None:
        subscriber.language = _read(language_code, language)
    if senders is not None:
        subscriber.senders = senders
    return _subscriber_row(save(subscriber))


@guard
def add_device(
    serial: str,
    *,
    owner: str,
    network: str,
    networks: Collection[str],
    nickname: str = "",
    codec: str = "",
    alphabet: str = "",
    adds_position: bool = True,
    any_serial: bool = False,
    is_primary: bool = False,
    time_zone: str = "",
    language: str = "",
) -> DeviceRow:
    """Add a device to a subscriber. `networks` are the satellite networks that the gateway knows.

    With `any_serial` the serial is not checked.
    """
    _require_network(network, networks)
    device = Device(
        network=network,
        serial=check_serial(serial, network, any_serial=any_serial),
        nickname=nickname,
        codec=codec,
        alphabet=alphabet,
        adds_position=adds_position,
        is_primary=is_primary,
        time_zone=_read(time_zone_name, time_zone) if time_zone else "",
        language=_read(language_code, language) if language else "",
        owner=find_subscriber(owner),
    )
    return _device_row(save(device))


@guard
def list_devices(owner: str | None = None) -> list[DeviceRow]:
    """Return all devices, or those of one subscriber."""
    devices = Device.objects.select_related("owner").order_by("owner__name", "network", "serial")
    if owner is not None:
        devices = devices.filter(owner=find_subscriber(owner))
    return [_device_row(device) for device in devices]


@guard
def change_device(
    serial: str,
    *,
    network: str | None = None,
    owner: str | None = None,
    nickname: str | None = None,
    is_active: bool | None = None,
    codec: str | None = None,
    alphabet: str | None = None,
    adds_position: bool | None = None,
    new_network: str | None = None,
    new_serial: str | None = None,
    any_serial: bool = False,
    is_primary: bool | None = None,
    time_zone: str | None = None,
    language: str | None = None,
) -> DeviceRow:
    """Change the fields that are not None; `network` is needed only when two networks know the same serial.

    With an empty codec or alphabet the device has that of its network, with an empty time zone or language that of its
    owner. `new_network` and `new_serial` correct an entry; with `any_serial` the serial is not checked.
    """
    device = find_device(serial, network)
    if new_network is not None:
        _require_network(new_network, known_networks())
        device.network = new_network
    if new_network is not None or new_serial is not None:
        wanted = device.serial if new_serial is None else new_serial
        device.serial = check_serial(wanted, device.network, any_serial=any_serial)
    device.owner = device.owner if owner is None else find_subscriber(owner)
    device.nickname = device.nickname if nickname is None else nickname
    device.is_active = device.is_active if is_active is None else is_active
    device.codec = device.codec if codec is None else codec
    device.alphabet = device.alphabet if alphabet is None else alphabet
    device.adds_position = device.adds_position if adds_position is None else adds_position
    device.is_primary = device.is_primary if is_primary is None else is_primary
    if time_zone is not None:
        device.time_zone = _read(time_zone_name, time_zone) if time_zone else ""
    if language is not None:
        device.language = _read(language_code, language) if language else ""
    return _device_row(save(device))


def _require_network(network: str, networks: Collection[str]) -> None:
    if network not in networks:
        known = ", ".join(sorted(networks)) or "none"
        raise InvalidInput(f"there is no satellite network {network!r}; known: {known}")


def _read(read: Callable[[str], str], text: str) -> str:
    try:
        return read(text)
    except ValueError as error:
        raise InvalidInput(str(error)) from None


def _name(text: str) -> str:
    name = subscriber_name(text)
    if name is None:
        raise InvalidInput(
            f"{text!r} cannot be a name: it has to be what stands before @ in a mailbox"
        )
    return name


def _number(text: str | None) -> str | None:
    if not text:
        return None
    number = e164(text)
    if number is None:
        raise InvalidInput(f"{text!r} is not a telephone number such as +15550001111")
    return number


def find_device(serial: str, network: str | None) -> Device:
    """Return the device; `network` is needed only when several have this serial. Raises InvalidInput."""
    found = Device.objects.select_related("owner").filter(serial=serial.strip())
    if network is not None:
        found = found.filter(network=network)
    devices = list(found)
    if not devices:
        raise InvalidInput(f"there is no device {serial!r}")
    if len(devices) > 1:
        raise InvalidInput(f"several networks have a device {serial!r}; say which")
    return devices[0]


def _subscriber_row(subscriber: Subscriber) -> SubscriberRow:
    mailbox = OwnerMailbox.objects.filter(owner=subscriber).first()
    return SubscriberRow(
        name=subscriber.name,
        number=subscriber.number,
        is_active=subscriber.is_active,
        devices=subscriber.devices.count(),
        emergency_contacts=subscriber.contacts.filter(is_emergency=True).count(),
        time_zone=subscriber.time_zone,
        language=subscriber.language,
        senders=subscriber.senders,
        mail=mailbox.address if mailbox else "",
        is_mail_confirmed=mailbox is not None and mailbox.confirmed_at is not None,
    )


def _device_row(device: Device) -> DeviceRow:
    return DeviceRow(
        network=device.network,
        serial=device.serial,
        nickname=device.nickname,
        owner=device.owner.name,
        is_active=device.is_active,
        codec=device.codec,
        adds_position=device.adds_position,
        is_primary=device.is_primary,
        heard_at=device.heard_at,
        alphabet=device.alphabet,
        time_zone=device.time_zone or None,
        language=device.language or None,
    )
