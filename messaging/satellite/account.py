"""Interfaces of a satellite provider: its account (settings and wiring), its client, and the packets it brings."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from typing import Annotated, ClassVar, Protocol, Self, TypeVar

from pydantic import AfterValidator, Field, PrivateAttr

from messaging.config.account import Account
from messaging.config.ip_allowlist import networks_of
from messaging.config.settings import ListenText
from messaging.errors import ConfigurationError, Rejected
from messaging.model.device_serial import SerialSyntax as SerialSyntax
from messaging.model.device_text import Codec as Codec
from messaging.model.message import Message, Receipt, Rest
from messaging.model.message import SubmittedPart as SubmittedPart
from messaging.model.position import Position as Position
from messaging.model.position import Sos as Sos
from messaging.model.raw_mail import MailSubmitter, RawMail
from messaging.model.webhook import Acknowledgement, Webhook, WebhookBytes
from messaging.satellite.codecs.plain_text import Limit, text_packets, utf8_bytes, utf16_units
from messaging.satellite.codecs.protobuf import Text, Undecodable, display_of, packets
from messaging.sending.split import count_left_out
from messaging.words.alphabet import Alphabet, write_plainly

T = TypeVar("T")

Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


def readable_by(read: Callable[[T], object]) -> AfterValidator:
    """Return a validator that keeps a setting as it is, unless `read` raises ValueError for it."""

    def validate(value: T) -> T:
        read(value)
        return value

    return AfterValidator(validate)


PeersText = Annotated[str, readable_by(networks_of)]
"""A setting of addresses and networks such as `192.0.2.0/24`, separated by commas."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet from one device.

    `id` is the provider's own and unique there; `serial` names the device. `payload` is None when it cannot be read;
    then `raw` is the whole content, otherwise the payload. A provider that carries texts and addresses itself sets
    `texts`: the messages, or the reasons why one can never be delivered. Then no payload is decoded. A packet with
    empty `texts` is about the device only. The other fields are set if the provider reports them; `battery_low` is
    True or None. `remark` accompanies
    an emergency in place of the texts.
    """

    id: str
    serial: str
    payload: bytes | None
    raw: bytes
    texts: tuple[Text | Undecodable, ...] | None = None
    sent_at: datetime | None = None
    position: Position | None = None
    battery_percent: int | None = None
    battery_low: bool | None = None
    sos: Sos | None = None
    remark: str = ""


class SatelliteClient(Protocol):
    """Sends packets to devices. Created without I/O, and picklable; connects at the first call."""

    async def send(self, serial: str, packet: bytes) -> SubmittedPart:
        """Submit one packet once; return the provider's id for it, and the billed units if they are known.

        Raises Rejected (never; always, if the provider carries nothing to devices), Unavailable (later) or Uncertain
        (the answer was lost).
        """

    async def check(self) -> None:
        """Return when the provider answers and accepts our credentials, without a paid message.

        Raises Unavailable or ConfigurationError, with the reason.
        """

    async def aclose(self) -> None:
        """Close the connections; the client can be used again afterwards."""


class SatelliteAccount(Account):
    """The settings that all providers have; each adds its own and its prefix.

    `codec` is the default for devices without one; of a packet, `max_texts_per_packet` texts are delivered. A provider
    declares the size of a packet: `max_packet_bytes`, and `max_packet_characters` too where it counts the characters of
    texts. `alphabet` is that of the texts to devices without one of their own.
    """

    serials: ClassVar[SerialSyntax] = SerialSyntax.ANY
    """The syntax of the serials of its devices."""
    new_codec: ClassVar[Codec | None] = None
    """The codec of a new device; None for that of the account."""

    timeout_seconds: Seconds = 20
    max_sends: Count = 32
    codec: Codec = Codec.PROTOBUF
    alphabet: Alphabet = Alphabet.PLAIN
    max_texts_per_packet: Annotated[int, Field(ge=1, le=1000)] = 10

    @property
    def is_shared(self) -> bool:
        """Whether the provider delivers packets of its other customers here too, with the same proof as ours."""
        return False

    @abstractmethod
    def connect(self) -> SatelliteClient:
        """Return the client of this account, without I/O."""

    def write_packets(
        self, message: Message, codec: str, max_parts: int, alphabet: str = ""
    ) -> list[bytes]:
        """Return the packets of a message in the alphabet of the device, else that of the account. Raises Rejected."""
        own = Alphabet(alphabet or self.alphabet)
        subject, text = write_plainly(message.subject, own), write_plainly(message.text, own)
        return self.packets(replace(message, subject=subject, text=text), codec, max_parts)

    def count_units(self, message: Message, codec: str, alphabet: str, max_parts: int) -> int:
        """Return the billed units of a message. A message that cannot be sent costs nothing."""
        try:
            packets = self.write_packets(message, codec, max_parts, alphabet)
        except Rejected:
            return 0
        return self.units_of(packets)

    def find_rest(
        self,
        message: Message,
        packets: Sequence[bytes],
        codec: str,
        max_parts: int,
        alphabet: str = "",
    ) -> Rest | None:
        """Return what these packets of a message leave out because it has too many parts; None where nothing is left.

        Also None for an account that sends one packet of a message only.
        """
        if message.rest_characters or len(packets) != max_parts:
            return None
        if len(self.write_packets(message, codec, max_parts + 1, alphabet)) <= max_parts:
            return None
        display = tuple(self.display(one, codec) for one in packets)
        characters = count_left_out(display[-1])
        if not characters:
            return None
        rest = replace(message, rest_characters=characters)
        more = self.write_packets(rest, codec, max_parts, alphabet)
        units = self.units_of(more)
        return Rest(characters=characters, parts=len(more), units=units, display=display)

    def units_of(self, packets: Sequence[bytes]) -> int:
        """Return the billed units of packets: credits where the account counts them, else the packets."""
        credit_bytes: int | None = getattr(self, "credit_bytes", None)
        if credit_bytes is None:
            return len(packets)
        return sum(max(1, ceil(len(one) / credit_bytes)) for one in packets)

    def display(self, packet: bytes, codec: str) -> str:
        """Return the text that a device shows of a packet."""
        if self.codec_of(codec) is Codec.TEXT:
            return packet.decode("utf-8", "replace")
        return "\n".join(text for _, text in display_of(packet))

    def packets(self, message: Message, codec: str, max_parts: int) -> list[bytes]:
        """Return the packets for `send`, in order. Pure: the same for the same arguments. Raises Rejected.

        `codec` is the device's own, empty for the account's.
        """
        if self.codec_of(codec) is Codec.TEXT:
            return text_packets(message, self.limit(Codec.TEXT), max_parts)
        return packets(message, self.limit(Codec.PROTOBUF).most, max_parts)

    def codec_of(self, codec: str) -> Codec:
        """Return the codec of a device, whose own may be empty."""
        return Codec(codec or self.codec)

    def limit(self, codec: Codec) -> Limit:
        """Return the size of one packet, which bounds every part of a text."""
        characters: int | None = getattr(self, "max_packet_characters", None)
        if codec is Codec.TEXT and characters is not None:
            return Limit(characters, utf16_units)
        return Limit(int(getattr(self, "max_packet_bytes")), utf8_bytes)  # noqa: B009


@dataclass(frozen=True, slots=True)
class SatelliteUnits:
    """Counts the billed units of messages by an account that sends at most `max_parts` packets of each."""

    account: SatelliteAccount
    max_parts: int

    def count_units(self, message: Message, codec: str = "", alphabet: str = "") -> int:
        """Return the units; 0 for a message that cannot be sent."""
        return self.account.count_units(message, codec, alphabet, self.max_parts)


class WebhookAccount(SatelliteAccount):
    """The settings of a provider that calls `POST /satellite/<provider>/<account name>`, or a path below it."""

    acknowledgement: ClassVar[Acknowledgement] = Acknowledgement()
    """The answer once the whole webhook is on disk."""

    max_webhook_bytes: WebhookBytes = 65_536

    @abstractmethod
    def parse(self, webhook: Webhook, public_url: str) -> Sequence[Packet | Receipt]:
        """Authenticate a request to `public_url`, and return its content in order. Pure. Raises NotAuthentic.

        Authentic content that makes no sense is a `Packet` without a payload, so that it is stored; so is content that
        a bug cannot read (`unreadable.read_or_keep`). One bad event never hides the others.
        """

    def acknowledge(self, webhook: Webhook) -> Acknowledgement:
        """Return the answer to `webhook` once all its content is on disk."""
        return self.acknowledgement


Take = Callable[[Packet | Receipt], Awaitable[None]]
"""Stores a packet or a receipt. When it returns, all is on disk, and the provider may delete its copy.

Raises Unavailable, or any exception on a bug; then the provider must offer it again.
"""


class Server(Protocol):
    """A running server for the connections of a provider."""

    @property
    def listening(self) -> Sequence[str]:
        """Its addresses, as host:port."""

    async def drain(self) -> None:
        """Accept no new connection, and return when all connections have ended, within a bounded time."""


class ListeningAccount(SatelliteAccount):
    """The settings of a provider that connects to us over TCP, on `listen`."""

    listen: ListenText

    @abstractmethod
    async def serve(self, take: Take) -> Server:
        """Start the server that passes packets to `take`. Raises OSError when it cannot listen."""


LocalPart = Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,64}$", examples=["sbd.gateway"])]


class MailedAccount(SatelliteAccount):
    """The settings of a provider that sends mails to `mailbox` in our mail domain, and receives mails.

    Only `peers` may deliver mails there: the provider's own mail servers, or one of ours that checks their origin.
    """

    mailbox: LocalPart
    peers: PeersText
    max_mail_bytes: Count = 65_536

    _submitter: MailSubmitter | None = PrivateAttr(default=None)
    _address: str = PrivateAttr(default="")

    def with_submitter(self, submitter: MailSubmitter, mail_domain: str) -> Self:
        """Return a copy of the account that sends its mails by `submitter`."""
        account = self.model_copy()
        account._submitter, account._address = submitter, f"{self.mailbox}@{mail_domain}"
        return account

    def require_submitter(self) -> MailSubmitter:
        """Return the submitter of its mails. Raises ConfigurationError when there is no relay."""
        if self._submitter is None:
            raise ConfigurationError(
                f"{self.variable('mailbox')}: needs SATBRIDGE_RELAY_URL, by which its mails leave"
            )
        return self._submitter

    @property
    def address(self) -> str:
        """Its mailbox, with our mail domain."""
        return self._address

    @abstractmethod
    def parse(self, mail: RawMail) -> Sequence[Packet | Receipt]:
        """Check the author of a mail from a peer, and return its content in order. Pure.

        Raises Rejected unless the provider is the author. Content that makes no sense is a `Packet` without a payload.
        """
