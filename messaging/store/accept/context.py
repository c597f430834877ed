"""What the store knows about everybody whom a batch mentions: frozen values."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from messaging.model.message import Address, Network


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A device that messages can be sent to: its row, its provider, its serial and, if it has its own, its codec."""

    id: int
    network: str
    serial: str
    codec: str = ""


@dataclass(frozen=True, slots=True)
class SubscriberInfo:
    """A subscriber with the devices that are switched on."""

    id: int
    name: str
    number: str | None
    is_active: bool
    devices: tuple[DeviceInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class SenderDevice:
    """The device that a message comes from, and its owner."""

    device_id: int
    is_active: bool
    owner: SubscriberInfo
    adds_position: bool = True


@dataclass(frozen=True, slots=True)
class BatchContext:
    """What the store knows about everybody whom a batch mentions."""

    by_name: Mapping[str, SubscriberInfo] = field(default_factory=dict)
    by_number: Mapping[str, SubscriberInfo] = field(default_factory=dict)
    sender_devices: Mapping[tuple[str, str], SenderDevice] = field(default_factory=dict)
    opted_out: Collection[tuple[str, str]] = ()
    """Pairs of a peer and the number of ours that it wants nothing from."""
    deliveries: Collection[tuple[int, str]] = ()
    """The deliveries that are spoken of, each with the id of its message."""
    emergency_contacts: Mapping[int, Sequence[Address]] = field(default_factory=dict)
    """Whom to tell of an emergency, by subscriber; looked up only when there is one."""

    def sender_device(self, sender: Address, via: str) -> SenderDevice | None:
        """The device that a record came from, if it is one of ours."""
        if sender.network is not Network.SATELLITE:
            return None
        return self.sender_devices.get((via, sender.value))

    def subscriber_ids(self) -> set[int]:
        """The subscribers whom the batch concerns."""
        people = (*self.by_name.values(), *self.by_number.values())
        owners = (author.owner for author in self.sender_devices.values())
        return {person.id for person in (*people, *owners)}
