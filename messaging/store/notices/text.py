"""Says in plain words that a message reached nobody, to whom it was, why, and what to do: pure."""

from dataclasses import dataclass

from messaging.model.message import Failure

MAX_SMS_CHARACTERS = 160
_MAYBE = "It is not known how every attempt ended, so it may have arrived all the same."
_PARTLY = "The first part of it arrived, the rest did not."
_REFUSED = "Sending the same again will hardly help. Please reach them in another way."
_LATER = "You can send it again later, or reach them in another way."


@dataclass(frozen=True, slots=True)
class Doubts:
    """What softens "not delivered": attempts of unknown outcome, and parts that did arrive."""

    uncertain: bool
    partly: bool

    @property
    def sentences(self) -> list[str]:
        """One sentence for each doubt."""
        return [_MAYBE] * self.uncertain + [_PARTLY] * self.partly


def subject_of(failure: Failure) -> str:
    """The subject of the notice."""
    return f"Not delivered: {failure.subject}" if failure.subject else "Your message failed"


def mail_text(failure: Failure, doubts: Doubts) -> str:
    """The notice to a mail author."""
    about = f' "{failure.subject}"' if failure.subject else ""
    blocks = [
        f"Your message{about} to {failure.recipient} could not be delivered.",
        f"Why: {failure.reason}.",
        *doubts.sentences,
        f"What to do: {_LATER if failure.expired or doubts.uncertain else _REFUSED}",
        "This note was written by a machine, once; nobody reads an answer to it.",
    ]
    return "\n\n".join(blocks)


def sms_text(failure: Failure, doubts: Doubts) -> str:
    """The notice to an SMS author: one text."""
    maybe = " It may have arrived all the same." if doubts.uncertain else ""
    sent = f"Your text of {failure.received_at:%H:%M} UTC could not be delivered"
    room = MAX_SMS_CHARACTERS - len(sent) - len(maybe) - 3
    reason = failure.reason
    if len(reason) > room:
        reason = reason[: room - 3].rstrip() + "..."
    return f"{sent}: {reason}.{maybe}"
