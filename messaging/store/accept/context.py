"""The rows that a batch refers to, as frozen values."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from messaging.model.locale import Locale
from messaging.model.message import Address, Network
from messaging.store.admission.rules import AdmissionContext
from messaging.store.admission.terms import SenderMode
from messaging.store.outgoing.countries import KnownNumbers
from messaging.store.outgoing.limits import SentCount


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A device that can receive: its row, its account, its serial, its own codec and alphabet, and its nickname.

    `locale` is its own, else that of its owner.
    """

    id: int
    network: str
    serial: str
    codec: str = ""
    nickname: str = ""
    alphabet: str = ""
    locale: Locale = field(default_factory=Locale)

    def has_name(self, name: str) -> bool:
        """Whether a part of a mailbox names the device: its serial, or its nickname, with - for a space."""
        return name.lower() in (self.serial.lower(), "-".join(self.nickname.lower().split()))


@dataclass(frozen=True, slots=True)
class SubscriberInfo:
    """A subscriber with the active devices: the primary one first, then those that were heard last.

    `senders` says from whom the subscriber takes messages.
    """

    id: int
    name: str
    number: str | None
    is_active: bool
    devices: tuple[DeviceInfo, ...] = ()
    senders: SenderMode = SenderMode.OPEN


@dataclass(frozen=True, slots=True)
class SenderDevice:
    """The device that a message comes from, its owner, and its own codec and alphabet.

    `locale` is its own, else that of its owner.
    """

    device_id: int
    is_active: bool
    owner: SubscriberInfo
    adds_position: bool = True
    codec: str = ""
    alphabet: str = ""
    locale: Locale = field(default_factory=Locale)


@dataclass(frozen=True, slots=True)
class BatchContext:
    """The rows that a batch refers to, looked up once.

    `sender_devices` has its devices by account and serial. `opted_out` has pairs of a phone and the number of ours
    that it refuses. `deliveries` are those that a bounce names, each with the id of its message. `stored_ids` are the
    messages of the batch that the store has already. `emergency_contacts` are by subscriber, only of those whose device
    reports an emergency. `known_numbers` are by subscriber, only of those whose device sends a text; `sent` has how
    much the sending devices have sent, by device.
    `admission` has the contacts, correspondents and blocks that the authors of the batch are among, and counts what its
    subscribers hold and what waits for them. `has_budgets` says whether there is any budget.
    """

    by_name: Mapping[str, SubscriberInfo] = field(default_factory=dict)
    by_number: Mapping[str, SubscriberInfo] = field(default_factory=dict)
    sender_devices: Mapping[tuple[str, str], SenderDevice] = field(default_factory=dict)
    opted_out: Collection[tuple[str, str]] = ()
    deliveries: Collection[tuple[int, str]] = ()
    stored_ids: Collection[str] = ()
    emergency_contacts: Mapping[int, Sequence[Address]] = field(default_factory=dict)
    known_numbers: Mapping[int, KnownNumbers] = field(default_factory=dict)
    sent: Mapping[int, SentCount] = field(default_factory=dict)
    admission: AdmissionContext = field(default_factory=AdmissionContext)
    has_budgets: bool = False

    def sender_device(self, sender: Address, via: str) -> SenderDevice | None:
        """Return the device at this address of the account `via`; None when it is not registered."""
        if sender.network is not Network.SATELLITE:
            return None
        return self.sender_devices.get((via, sender.value))
