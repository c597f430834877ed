"""What the gateway needs of a satellite provider: the interfaces that each file in `networks/` fills in."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, Protocol, Self

from pydantic import Field, PrivateAttr

from messaging.config.account import Account
from messaging.config.settings import ListenText
from messaging.errors import ConfigurationError
from messaging.model.device_text import Codec as Codec
from messaging.model.message import Message, Receipt
from messaging.model.message import SubmittedPart as SubmittedPart
from messaging.model.position import Position as Position
from messaging.model.position import Sos as Sos
from messaging.model.raw_mail import MailSubmitter, RawMail
from messaging.model.webhook import Acknowledgement, Webhook
from messaging.satellite.codecs.limit import Limit, utf8_bytes, utf16_units
from messaging.satellite.codecs.plain_text import text_packets
from messaging.satellite.codecs.protobuf import Text, Undecodable, packets
from messaging.satellite.ip_allowlist import PeersText

Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


@dataclass(frozen=True, slots=True)
class Packet:
    """What a network hands over from one device.

    `id` is the network's own and unique there; `serial` names the device. `payload` is None when the network's
    wrapping of it cannot be read; `raw` is then all that it handed over, and the payload otherwise. `texts` are the
    messages of a network that carries texts and addresses itself, or why one of them can never be delivered; then no
    payload is decoded, and with none of them the packet is about the device only. What came with it is said by the
    rest, where the network said so; `remark` is what goes with an emergency, instead of the texts.
    """

    id: str
    serial: str
    payload: bytes | None
    raw: bytes
    texts: tuple[Text | Undecodable, ...] | None = None
    sent_at: datetime | None = None
    position: Position | None = None
    battery_percent: int | None = None
    sos: Sos | None = None
    remark: str = ""


class SatelliteNetwork(Protocol):
    """Carries packets to devices. Made without I/O, and picklable; connects when first used."""

    async def send(self, serial: str, packet: bytes) -> SubmittedPart:
        """Hand one packet over and return the network's id for it, and what it charges if that is known.

        Raises Rejected (never; always, on a network that carries nothing to devices), Unavailable (later) or Uncertain
        (the answer was lost). Never repeats by itself.
        """

    async def check(self) -> None:
        """Return when the network is there and takes our credentials, without a paid message.

        Raises Unavailable or ConfigurationError, saying what is wrong.
        """

    async def aclose(self) -> None:
        """Let go of connections; the network can be used again afterwards."""


class PolledNetwork(SatelliteNetwork, Protocol):
    """A network that keeps what devices sent until it is asked for and acknowledged (others call us)."""

    async def inbox(self, count: int) -> list[Packet]:
        """Return up to `count` packets that nobody acknowledged, oldest first. Raises Unavailable."""

    async def acknowledge(self, packet_id: str) -> None:
        """Tell the network to forget a packet. Raises Rejected when it does not know it, or Unavailable."""


class SatelliteAccount(Account):
    """The settings that every provider has; each adds its own and its prefix.

    `codec` is for the devices that have none of their own. A provider declares what one packet holds:
    `max_packet_bytes`, and `max_packet_characters` where it counts the characters of texts.
    """

    timeout_seconds: Seconds = 20
    max_sends: Count = 32
    codec: Codec = Codec.PROTOBUF

    @abstractmethod
    def connect(self) -> SatelliteNetwork:
        """Return the network of this account, without I/O."""

    def packets(self, message: Message, codec: str, max_parts: int) -> list[bytes]:
        """Return what to hand to `send`, in order; always the same for the same arguments. Pure. Raises Rejected.

        `codec` is the device's own, empty for the account's.
        """
        if self.codec_of(codec) is Codec.TEXT:
            return text_packets(message, self.limit(Codec.TEXT), max_parts)
        return packets(message, self.limit(Codec.PROTOBUF).most, max_parts)

    def codec_of(self, codec: str) -> Codec:
        """Return how a device reads and writes, of which `codec` is its own or empty."""
        return Codec(codec or self.codec)

    def limit(self, codec: Codec) -> Limit:
        """Return how much one packet may hold: what every text is cut by."""
        characters: int | None = getattr(self, "max_packet_characters", None)
        if codec is Codec.TEXT and characters is not None:
            return Limit(characters, utf16_units)
        return Limit(int(getattr(self, "max_packet_bytes")), utf8_bytes)  # noqa: B009


class PolledAccount(SatelliteAccount):
    """The settings of a provider that is polled. Waits after failures double up to `longest_retry_seconds`."""

    poll_seconds: Seconds = 60
    page_size: Count = 50
    retry_seconds: Seconds = 1
    longest_retry_seconds: Seconds = 300

    @abstractmethod
    def connect(self) -> PolledNetwork:
        """Return the network of this account, without I/O."""


class WebhookAccount(SatelliteAccount):
    """The settings of a provider that calls `POST /satellite/<provider>/<account name>`, with anything behind that."""

    acknowledgement: ClassVar[Acknowledgement] = Acknowledgement()
    """What the provider wants to read once everything is on disk."""

    max_webhook_bytes: Count = 65_536

    @abstractmethod
    def parse(self, webhook: Webhook, public_url: str) -> Sequence[Packet | Receipt]:
        """Check that the provider made this request to `public_url`, and return what it brings, in order. Pure.

        Raises NotAuthentic. What is authentic and makes no sense is a `Packet` without a payload, so that it is kept;
        one bad event never hides the others.
        """

    def acknowledge(self, webhook: Webhook) -> Acknowledgement:
        """Return what the provider wants to read, once everything that `webhook` brought is on disk."""
        return self.acknowledgement


Take = Callable[[Packet | Receipt], Awaitable[None]]
"""Returns when all of it is on disk, as messages or as undeliverable: only then may the network be told yes.

Raises Unavailable, or a bug of ours: then it has to be offered again.
"""


class Server(Protocol):
    """What a network connects to."""

    @property
    def listening(self) -> Sequence[str]:
        """Where it listens, as host:port."""

    async def drain(self) -> None:
        """Take no new connection, let those in work finish within a bounded time, and return when none is left."""


class ListeningAccount(SatelliteAccount):
    """The settings of a provider that connects to us over TCP, on `listen`."""

    listen: ListenText

    @abstractmethod
    async def serve(self, take: Take) -> Server:
        """Listen, and hand over what comes; returns when it listens. Raises OSError when it cannot."""


LocalPart = Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,64}$")]


class MailedAccount(SatelliteAccount):
    """The settings of a provider that writes mails to `mailbox`, in our mail domain, and is written mails.

    Only `peers` may bring mails there: its own mail servers, or one of ours that has checked where a mail comes from.
    """

    mailbox: LocalPart
    peers: PeersText
    max_mail_bytes: Count = 65_536

    _post: MailSubmitter | None = PrivateAttr(default=None)
    _address: str = PrivateAttr(default="")

    def posted_by(self, post: MailSubmitter, mail_domain: str) -> Self:
        """Return the same account, whose mails leave by `post`."""
        account = self.model_copy()
        account._post, account._address = post, f"{self.mailbox}@{mail_domain}"
        return account

    def require_post(self) -> MailSubmitter:
        """Return where its mails leave. Raises ConfigurationError when there is no relay."""
        if self._post is None:
            raise ConfigurationError(
                f"{self.variable('mailbox')}: needs SATBRIDGE_RELAY_URL, by which its mails leave"
            )
        return self._post

    @property
    def address(self) -> str:
        """Its mailbox, with our mail domain."""
        return self._address

    @abstractmethod
    def parse(self, mail: RawMail) -> Sequence[Packet | Receipt]:
        """Check that the provider wrote a mail that a peer brought, and return what it brings, in order. Pure.

        Raises Rejected when the provider did not. What it wrote and makes no sense is a `Packet` without a payload.
        """
