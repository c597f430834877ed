"""Texts that are typed on devices, and the codecs of devices. Frozen values."""

from dataclasses import dataclass
from enum import StrEnum

from messaging.model.address import Address
from messaging.model.position import Position, Sos


class Codec(StrEnum):
    """The codec of a device: how it reads and writes packets."""

    PROTOBUF = "protobuf"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceText:
    """A text as it was typed on a device, with its recipient in front (`docs/plain-text.md`).

    The router finds the recipient: it depends on the codec of the device, the contacts of its owner, and the sender
    of the last message to it. It keeps a text without a recipient as a dead letter and answers the device. Idempotent
    on `id`, like a message.
    """

    id: str
    sender: Address
    text: str
    via: str
    position: Position | None = None
    battery_percent: int | None = None
    sos: Sos | None = None
