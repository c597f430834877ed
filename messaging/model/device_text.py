"""What people type on devices, and the ways in which devices write and read. Frozen values."""

from dataclasses import dataclass
from enum import StrEnum

from messaging.model.address import Address
from messaging.model.position import Position, Sos


class Codec(StrEnum):
    """How a device reads and writes packets."""

    PROTOBUF = "protobuf"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceText:
    """A text as somebody typed it on a device, with whom it is for in front (`docs/plain-text.md`).

    The router finds out whom it means, because that depends on the device's codec, its owner's contacts, and who wrote
    to it last. What it cannot understand it keeps, and says so to the device. Idempotent on `id`, like a message.
    """

    id: str
    sender: Address
    text: str
    via: str
    position: Position | None = None
    battery_percent: int | None = None
    sos: Sos | None = None
