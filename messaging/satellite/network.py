"""What the gateway needs of a satellite provider: the interfaces that each file in `networks/` fills in."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, Protocol

from pydantic import Field

from messaging.configuration import Section
from messaging.message import Message

Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


@dataclass(frozen=True, slots=True)
class Packet:
    """What a network hands over from one device.

    `id` is the network's own and unique there; `serial` names the device. `payload` is None when the network's
    wrapping of it cannot be read; `raw` is then all that it handed over, and the payload otherwise.
    """

    id: str
    serial: str
    payload: bytes | None
    raw: bytes


class SatelliteNetwork(Protocol):
    """Carries packets to devices. Made without I/O, and picklable; connects when first used."""

    def packets(self, message: Message, max_parts: int) -> list[bytes]:
        """Return what to hand to `send`, in order; always the same for the same message. Raises Rejected."""

    async def send(self, serial: str, packet: bytes) -> str:
        """Hand one packet over and return the network's id for it.

        Raises Rejected (never), Unavailable (later) or Uncertain (the answer was lost). Never repeats by itself.
        """

    async def check(self) -> None:
        """Return when the network is there and takes our credentials; raises Unavailable saying what is wrong."""

    async def aclose(self) -> None:
        """Let go of connections; the network can be used again afterwards."""


class PolledNetwork(SatelliteNetwork, Protocol):
    """A network that keeps what devices sent until it is asked for and acknowledged (others call us)."""

    async def inbox(self, count: int) -> list[Packet]:
        """Return up to `count` packets that nobody acknowledged, oldest first. Raises Unavailable."""

    async def acknowledge(self, packet_id: str) -> None:
        """Tell the network to forget a packet. Raises Rejected when it does not know it, or Unavailable."""


class SatelliteAccount(Section):
    """The settings that every provider has; each adds its own and its prefix."""

    timeout_seconds: Seconds = 20
    max_packet_bytes: Count
    max_sends: Count = 32

    @abstractmethod
    def connect(self) -> SatelliteNetwork:
        """Return the network of this account, without I/O."""


class PolledAccount(SatelliteAccount):
    """The settings of a provider that is polled. Waits after failures double up to `longest_retry_seconds`."""

    poll_seconds: Seconds = 60
    page_size: Count = 50
    retry_seconds: Seconds = 1
    longest_retry_seconds: Seconds = 300

    @abstractmethod
    def connect(self) -> PolledNetwork:
        """Return the network of this account, without I/O."""
