"""The nouns of the gateway: messages, deliveries and their outcomes; gathers those that other modules own. Frozen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from messaging.errors import GatewayError, OptedOut, Rejected, Unavailable, Uncertain
from messaging.model.address import Address as Address
from messaging.model.address import Network as Network
from messaging.model.address import message_id as message_id
from messaging.model.device_text import Codec as Codec
from messaging.model.device_text import DeviceText as DeviceText
from messaging.model.position import DeviceReport as DeviceReport
from messaging.model.position import Position as Position
from messaging.model.position import Sos as Sos
from messaging.model.receipt import Receipt as Receipt
from messaging.model.receipt import ReceiptState as ReceiptState
from messaging.model.receipt import SubmittedPart as SubmittedPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a notice tells the author of a message that reached nobody.

    `recipient` is whom they wrote to, `reason` in plain words; `expired` when time ran out, not when somebody refused.
    """

    recipient: str
    reason: str
    expired: bool
    subject: str
    reference: str
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A text from one address to another.

    `id` is stable: whoever offers the same message again must give the same id. `via` is the provider that brought
    it in, or will carry it out ("smtp", "hive", "twilio"). `text` and `subject` hold no NUL. `wants_notice` says that
    its author may be told if it fails; `reference` is the author's own name for it (a Message-ID), empty without one.
    `failure` is set on a notice: then the text says the same for people, and nobody is told if the notice fails.
    `position`, `battery_percent` and `sos` are what the device said beside the text. `sender_name` is what the owner of
    the receiving device calls its sender, empty when that is none of their contacts.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientCheck:
    """Asks the router whether a message to `recipient` would be taken; answered like a message, never stored.

    `is_report`: what comes is about a message of theirs and goes to no device, so they only have to be known.
    """

    recipient: Address
    is_report: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """Something that a network handed over and that can never be delivered; stored with its bytes, for people.

    `recipient` is whom it was meant for, where that is known.
    """

    id: str
    sender: Address
    via: str
    raw: bytes
    reason: str
    recipient: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutChange:
    """A phone said STOP (`allowed` false) or START (`allowed` true) to one of our numbers. Idempotent on `id`."""

    id: str
    sender: Address
    recipient: Address
    allowed: bool
    via: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """A report that came back to `recipient` about something that left as one of our deliveries.

    `is_final` is false when it is only late. The delivery is named by both its ids, which no stranger knows. One that
    names none of ours is kept for people, like something undeliverable with the same fields. Idempotent.
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
"""Everything that a source may offer to the router."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt, of one message, to one recipient, through one provider.

    `message` is as it leaves: sender and recipient are rewritten for the network it leaves by. The attempt is void
    after `lease_until` (timezone-aware): by then somebody else may have been given the next one. `parts_sent` says
    how many parts of a split message an earlier attempt already handed over. `uncertain` is true when the outcome
    of an earlier attempt is unknown, so that this one may send the message a second time. `codec` is how the device
    reads packets, empty for the way of its network. One that `is_urgent` goes before others that wait.
    """

    id: int
    message: Message
    attempt: int
    lease_until: datetime
    parts_sent: int = 0
    uncertain: bool = False
    codec: str = ""
    is_urgent: bool = False

    @property
    def via(self) -> str:
        """The provider that carries it."""
        return self.message.via


class Result(StrEnum):
    """What became of one attempt."""

    SENT = "sent"
    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a sender reports about one attempt at one delivery.

    `reason` is in plain words, `handed` what the network took in this attempt, part by part. `opted_out`: the recipient
    wants nothing more from this sender.
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

    @property
    def network_id(self) -> str:
        """The ids that the network gave, with commas."""
        return ",".join(part.network_id for part in self.submitted)

    @property
    def billed_units(self) -> int | None:
        """What the network charges for this attempt; None when it said nothing."""
        said = [part.billed_units for part in self.submitted if part.billed_units is not None]
        return sum(said) if said else None

    @staticmethod
    def sent(delivery: Delivery, *handed: SubmittedPart, parts_sent: int = 1) -> Outcome:
        """The network took it."""
        return Outcome(
            delivery_id=delivery.id,
            message_id=delivery.message.id,
            attempt=delivery.attempt,
            result=Result.SENT,
            submitted=handed,
            parts_sent=parts_sent,
        )

    @staticmethod
    def failed(
        delivery: Delivery,
        error: GatewayError,
        *handed: SubmittedPart,
        parts_sent: int | None = None,
    ) -> Outcome:
        """The network refused it, could not take it now, or nobody knows."""
        return Outcome(
            delivery_id=delivery.id,
            message_id=delivery.message.id,
            attempt=delivery.attempt,
            result=_result_of(error),
            reason=error.reason,
            submitted=handed,
            parts_sent=delivery.parts_sent if parts_sent is None else parts_sent,
            retry_after_seconds=getattr(error, "retry_after_seconds", None),
            opted_out=isinstance(error, OptedOut),
        )


def _result_of(error: GatewayError) -> Result:
    match error:
        case Rejected():
            return Result.REJECTED
        case Uncertain():
            return Result.UNCERTAIN
        case Unavailable():
            return Result.UNAVAILABLE
    raise TypeError(f"no result for {type(error).__name__}")


Emit = Callable[[Inbound], Awaitable[None]]
"""How a source hands over what it received.

Returns when the router has committed it: only then may the source say yes to its network. Raises `Rejected` or
`Unavailable` when the router refused it; anything else that it raises is a bug and means "later" to the peer.
"""
