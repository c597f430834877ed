"""Composes the text of a notice: the recipient of the failed message, the reason, and a suggestion. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from messaging.model.message import Failure
from messaging.words.device.phrases import translate

MAX_SMS_CHARACTERS = 160
MAX_DEVICE_CHARACTERS = 120
"""Fits one packet of every satellite network, also where a character takes several bytes."""
_MAYBE = "The outcome of some attempts is unknown, so it may have arrived all the same."
_PARTLY = "The first part of it arrived, the rest did not."
_REFUSED = "Sending the same message again will hardly help. Please reach them in another way."
_LATER = "You can send it again later, or reach them in another way."


@dataclass(frozen=True, slots=True)
class Doubts:
    """The doubts about a failure: attempts with an unknown outcome, and parts that arrived."""

    uncertain: bool
    partly: bool

    @property
    def sentences(self) -> list[str]:
        """One sentence for each doubt."""
        return [_MAYBE] * self.uncertain + [_PARTLY] * self.partly


def subject_of(failure: Failure) -> str:
    """Return the subject of the notice."""
    return f"Not delivered: {failure.subject}" if failure.subject else "Your message failed"


def mail_text(failure: Failure, doubts: Doubts) -> str:
    """Return the notice to the author of a mail."""
    about = f' "{failure.subject}"' if failure.subject else ""
    blocks = [
        f"Your message{about} to {failure.recipient} could not be delivered.",
        f"Why: {failure.reason}.",
        *doubts.sentences,
        f"What to do: {_LATER if failure.expired or doubts.uncertain else _REFUSED}",
        "This is an automated message; replies are not monitored.",
    ]
    return "\n\n".join(blocks)


def sms_text(failure: Failure, doubts: Doubts) -> str:
    """Return the notice to the author of an SMS: one text."""
    maybe = " It may have arrived all the same." if doubts.uncertain else ""
    sent = f"Your text of {failure.received_at:%H:%M} UTC could not be delivered"
    room = MAX_SMS_CHARACTERS - len(sent) - len(maybe) - 3
    reason = failure.reason
    if len(reason) > room:
        reason = reason[: room - 3].rstrip() + "..."
    return f"{sent}: {reason}.{maybe}"


def device_text(failure: Failure, doubts: Doubts, language: str = "en") -> str:
    """Return the notice to the owner of a device: one short message in this language."""
    doubt = " (may have arrived)" if doubts.uncertain else " (a part arrived)" * doubts.partly
    heading = translate(f"Not delivered{doubt}", language)
    return _cut(f"{heading}: {failure.recipient}: {translate(failure.reason, language)}")


def device_text_of(failures: Sequence[Failure], *, uncertain: bool, language: str = "en") -> str:
    """Return the notice to the owner of a device about several texts: one short message in this language."""
    doubt = " (some may have arrived)" if uncertain else ""
    heading = translate(f"{len(failures)} texts not delivered{doubt}", language)
    recipients = ", ".join(sorted({failure.recipient for failure in failures}))
    reasons = "; ".join(dict.fromkeys(translate(one.reason, language) for one in failures))
    return _cut(f"{heading}: {recipients}: {reasons}")


def _cut(text: str) -> str:
    if len(text) <= MAX_DEVICE_CHARACTERS:
        return text
    return text[: MAX_DEVICE_CHARACTERS - 3].rstrip() + "..."
