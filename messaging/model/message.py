"""Messages, deliveries and their outcomes: frozen values, and the keys by which the pipeline routes them.

Exports the values of the other modules of `model` too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from messaging.errors import (
    AccountBlocked,
    GatewayError,
    NotBegun,
    OptedOut,
    Rejected,
    Unavailable,
    Uncertain,
)
from messaging.model.address import Address as Address
from messaging.model.address import Network as Network
from messaging.model.authentication import AuthorLevel as AuthorLevel
from messaging.model.authentication import Authorship as Authorship
from messaging.model.device_text import Codec as Codec
from messaging.model.device_text import DeviceText as DeviceText
from messaging.model.invitation import Invitation as Invitation
from messaging.model.position import DeviceReport as DeviceReport
from messaging.model.position import Position as Position
from messaging.model.position import Sos as Sos
from messaging.model.receipt import Receipt as Receipt
from messaging.model.receipt import ReceiptState as ReceiptState
from messaging.model.receipt import Rest as Rest
from messaging.model.receipt import SubmittedPart as SubmittedPart
from messaging.model.transfer import transferable


def message_id(*parts: str | bytes) -> str:
    """Return the id (32 hexadecimal digits) of the message that these parts identify.

    The same parts give the same id in every process, so the router recognises a message that is offered twice.
    """
    digest = sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The failure of a message, as its notice reports it to the author.

    `recipient` is the address that the author wrote to, `reason` is in plain words. `expired` is true when the lifetime
    of the message ended, false when a network refused it.
    """

    recipient: str
    reason: str
    expired: bool
    subject: str
    reference: str
    received_at: datetime


class MailKind(StrEnum):
    """The kind of a mail that the gateway writes itself, besides notices of failures; stored with the message.

    `held-note`: to the author of a held message. `digest`: to a subscriber, about held messages. `code`: asks a
    subscriber to confirm a mailbox. `rest-note`: to the author of a text that was longer than a device gets at once.
    """

    HELD_NOTE = "held-note"
    DIGEST = "digest"
    CODE = "code"
    REST_NOTE = "rest-note"

    @classmethod
    def read(cls, stored: str) -> MailKind | None:
        """Return the stored kind; None without one, or for one of a newer version."""
        return cls(stored) if stored in set(cls) else None


_UNCHECKED = {
    Network.EMAIL: AuthorLevel.UNPROVED,
    Network.SMS: AuthorLevel.LIKELY,
    Network.SATELLITE: AuthorLevel.PROVED,
}


@transferable
@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A text from one address to another.

    `id` is stable: a source gives the same message the same id each time. `via` is the account that received it, or
    that will send it ("smtp", "hive", "twilio"). `text` and `subject` hold no NUL. `wants_notice`: the author may get a
    notice if it fails. `reference` is the author's own id of it (a Message-ID), empty without one. `failure` is set on
    a notice, whose text says the same in words; a notice causes no further notice. `position`, `battery_percent` and
    `sos` are reports of the device that came with the text. `sender_name` is the name of the sender among the contacts
    of the receiving device's owner, empty without one. `whole_text` is all that was written, where `text` has only the
    words that a device is shown, and is empty where both are the same. `return_path` is the address that hears of a
    failure, and `answer_address` the one that answers go to; both are empty for the sender. `takes_answers`
    is false for a list or a machine. `invitation` is the one that the text describes, in English and with its times in
    UTC: the router puts them into the language and the time zone of the device. `display_name` is the name that the
    sender goes by; the router leaves it on the messages for devices that are shown it beside the address.
    `authorship` says how well the author is proved; None stands for the level of the network. A message that
    `keeps_refusal` is stored as refused where its author is refused, instead of an error. `client_network` is the IP
    network of the server that handed a mail over; empty for a trusted relay.
    `mail_kind` is the kind of a mail that the gateway wrote itself; its `reference` is the mail that it answers, or the
    URL that stops such mails. With `rest_characters` only so many at the end of the text leave: the others were sent.
    """

    id: str
    sender: Address
    recipient: Address
    text: str
    subject: str = ""
    via: str
    wants_notice: bool = False
    reference: str = ""
    failure: Failure | None = None
    position: Position | None = None
    battery_percent: int | None = None
    sos: Sos | None = None
    sender_name: str = ""
    whole_text: str = ""
    return_path: str = ""
    answer_address: str = ""
    takes_answers: bool = True
    invitation: Invitation | None = None
    display_name: str = ""
    authorship: Authorship | None = None
    keeps_refusal: bool = False
    client_network: str = ""
    mail_kind: MailKind | None = None
    rest_characters: int = 0

    @property
    def level(self) -> AuthorLevel:
        """How well the author is proved: without a check a mail is unproved, a text likely, a device proved."""
        return self.authorship.level if self.authorship else _UNCHECKED[self.sender.network]


@transferable
@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientCheck:
    """Asks the router whether it would accept a message to `recipient`; answered like a message, never stored.

    `is_report`: the mail reports on a message of the subscriber and goes to no device, so it is accepted for every
    subscriber that exists.
    """

    recipient: Address
    is_report: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record of a network that can never be delivered; stored with its bytes, for people.

    `recipient` is None where it is not known. `text` is the text for people; empty where `raw` cannot be read.
    """

    id: str
    sender: Address
    via: str
    raw: bytes
    reason: str
    recipient: Address | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutChange:
    """STOP (`allowed` false) or START (`allowed` true) from a phone to one of our numbers. Idempotent on `id`."""

    id: str
    sender: Address
    recipient: Address
    allowed: bool
    via: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """A mail to `recipient` that reports the failure of a delivery.

    `is_final` is false when the delivery is only delayed. Both ids together identify the delivery: no stranger knows
    them. A bounce about no delivery of this gateway is kept as a dead letter. Idempotent on `id`.
    """

    id: str
    sender: Address
    recipient: Address
    delivery_id: int
    message_id: str
    is_final: bool
    reason: str
    via: str
    raw: bytes


Inbound = (
    Message
    | DeviceText
    | RecipientCheck
    | DeadLetter
    | OptOutChange
    | Bounce
    | Receipt
    | DeviceReport
)
"""The records that a source may offer to the router."""


@transferable
@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt to deliver one message to one recipient by one account.

    `message` is as it leaves: its sender and recipient are addresses of the network that carries it. An attempt that
    has begun is void after `lease_until` (timezone-aware): another sender may then have the next attempt. `parts_sent`
    counts the parts of a split message that the network took in earlier attempts. `uncertain` is true when the outcome
    of an earlier attempt is unknown, so that this one may send the message a second time. `codec` and
    `alphabet` are those of the device, empty for those of its account. Senders take `is_urgent` deliveries first.
    """

    id: int
    message: Message
    attempt: int
    lease_until: datetime
    parts_sent: int = 0
    uncertain: bool = False
    codec: str = ""
    alphabet: str = ""
    is_urgent: bool = False

    @property
    def via(self) -> str:
        """The account that carries it."""
        return self.message.via

    @property
    def lane(self) -> str:
        """The lane: deliveries to one device, or by mail and SMS from one sender, take turns with the others."""
        message = self.message
        is_for_device = message.recipient.network is Network.SATELLITE
        return (message.recipient if is_for_device else message.sender).value


class Result(StrEnum):
    """The result of one attempt.

    NOT_BEGUN: the sender had no time to begin it, or the rest of its parts. Nothing failed and nothing is uncertain.
    """

    SENT = "sent"
    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"
    UNCERTAIN = "uncertain"
    NOT_BEGUN = "not_begun"


@transferable
@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of one attempt at one delivery, as its sender reports it.

    `reason` is in plain words. `submitted` lists the parts that the network took in this attempt. `opted_out`: the
    recipient refuses all further messages from this sender. `action` is set when the account can send nothing until an
    operator acts, and says where; `is_doubtful`: the answer may be about this recipient only. `rest` is set on an
    attempt that sent the beginning of a longer text.
    """

    delivery_id: int
    message_id: str
    attempt: int
    result: Result
    reason: str = ""
    submitted: tuple[SubmittedPart, ...] = ()
    parts_sent: int = 0
    retry_after_seconds: float | None = None
    opted_out: bool = False
    action: str = ""
    is_doubtful: bool = False
    rest: Rest | None = None

    @property
    def network_id(self) -> str:
        """The ids that the network gave, separated by commas."""
        return ",".join(part.network_id for part in self.submitted)

    @property
    def billed_units(self) -> int | None:
        """The units that the network charges for this attempt; None when it did not report any."""
        units = [part.billed_units for part in self.submitted if part.billed_units is not None]
        return sum(units) if units else None

    @staticmethod
    def sent(
        delivery: Delivery,
        *submitted: SubmittedPart,
        parts_sent: int = 1,
        rest: Rest | None = None,
    ) -> Outcome:
        """Return the outcome of an attempt that the network took."""
        return Outcome(
            delivery_id=delivery.id,
            message_id=delivery.message.id,
            attempt=delivery.attempt,
            result=Result.SENT,
            submitted=submitted,
            parts_sent=parts_sent,
            rest=rest,
        )

    @staticmethod
    def failed(
        delivery: Delivery,
        error: GatewayError,
        *submitted: SubmittedPart,
        parts_sent: int | None = None,
    ) -> Outcome:
        """Return the outcome of an attempt that raised `error`: rejected, unavailable or uncertain."""
        return Outcome(
            delivery_id=delivery.id,
            message_id=delivery.message.id,
            attempt=delivery.attempt,
            result=_result_of(error),
            reason=error.reason,
            submitted=submitted,
            parts_sent=delivery.parts_sent if parts_sent is None else parts_sent,
            retry_after_seconds=getattr(error, "retry_after_seconds", None),
            opted_out=isinstance(error, OptedOut),
            action=error.action if isinstance(error, AccountBlocked) else "",
            is_doubtful=isinstance(error, AccountBlocked) and error.is_doubtful,
        )


def _result_of(error: GatewayError) -> Result:
    match error:
        case Rejected():
            return Result.REJECTED
        case Uncertain():
            return Result.UNCERTAIN
        case NotBegun():
            return Result.NOT_BEGUN
        case Unavailable():
            return Result.UNAVAILABLE
    raise TypeError(f"no result for {type(error).__name__}")


Emit = Callable[[Inbound], Awaitable[None]]
"""Offers a record of a source to the router.

Returns when the router has committed it: only then may the source acknowledge it to its network. Raises `Rejected` or
`Unavailable` when the router refused it. Any other exception is a bug, and the source answers "later".
"""


# Keys and predicates by which the pipeline routes records between its stages.


def subscriber_key(record: Inbound) -> str:
    """Return the subscriber's side of a record: a mailbox, a number or a device."""
    match record:
        case RecipientCheck():
            return record.recipient.value
        case OptOutChange() | Bounce():
            return record.recipient.value
        case Receipt():
            return record.network_id
        case _ if record.sender.network is Network.SATELLITE:
            return record.sender.value
        case _:
            return (getattr(record, "recipient", None) or record.sender).value


def recipient_key(delivery: Delivery) -> str:
    """Return the address that a delivery goes to."""
    return delivery.message.recipient.value


def goes_by(account: str, delivery: Delivery) -> bool:
    """Whether the account carries the delivery."""
    return delivery.via == account


def is_urgent(delivery: Delivery) -> bool:
    """Whether the delivery overtakes the others."""
    return delivery.is_urgent


def is_delivery(record: Delivery | Outcome) -> bool:
    """Whether the record still has to be sent."""
    return isinstance(record, Delivery)


def is_outcome(record: Delivery | Outcome) -> bool:
    """Whether the record settles a delivery."""
    return isinstance(record, Outcome)
