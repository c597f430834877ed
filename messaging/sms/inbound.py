"""What a text from a phone to one of our numbers becomes: a message, a consent, or something undeliverable. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from messaging.model.address_syntax import sms_address
from messaging.model.message import Address, DeadLetter, Message, Network, OptOutChange, message_id
from messaging.sms.account import Received
from messaging.sms.opt_out_keywords import Keyword, is_everyday_answer

MAX_ADDRESS_CHARACTERS = 100
MAX_MEDIA = 10
MAX_LINK_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or another attachment: where the provider keeps it, and what it is."""

    url: str
    content_type: str

    @property
    def noun(self) -> str:
        """What people call it."""
        return "picture" if self.content_type.lower().startswith("image/") else "attachment"

    @property
    def link(self) -> str:
        """The address, if it is one that can stand in a text; else nothing."""
        is_plain = self.url.isascii() and self.url.isprintable() and " " not in self.url
        if not is_plain or len(self.url) > MAX_LINK_CHARACTERS:
            return ""
        try:
            parts = urlsplit(self.url)
        except ValueError:
            return ""
        return self.url if parts.scheme in ("http", "https") and parts.netloc else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneText:
    """A text as a provider tells it, in whole characters.

    `facts` identify it at the account `via`; `raw` is all that came.
    """

    via: str
    facts: tuple[str, ...]
    sender: str
    recipient: str
    text: str
    media: Sequence[Media] = ()
    raw: bytes


def received(
    told: PhoneText, wish: Keyword | None, *, is_sure: bool, media_links: bool
) -> list[Received]:
    """Return what the text brings; `wish` is what the phone asks for, `is_sure` when the provider itself says so.

    A bare "yes" opts in, and is delivered too unless the provider is sure. Who answers HELP is the caller's affair.
    """
    said = _said(told, media_links=media_links)
    problem = _problem(told) or ("" if wish or said else "the text is empty")
    if problem:
        return [undeliverable(told, problem)]
    if wish not in (Keyword.STOP, Keyword.START):
        return [_message(told, said)]
    consent = consent_of(told, allowed=wish is Keyword.START)
    is_answer = not is_sure and is_everyday_answer(told.text)
    return [consent, _message(told, said)] if is_answer else [consent]


def consent_of(told: PhoneText, *, allowed: bool) -> OptOutChange:
    """Return the consent, or its end, of the phone to texts from the number."""
    return OptOutChange(
        id=message_id(told.via, *told.facts, "consent"),
        sender=_address(told.sender),
        recipient=_address(told.recipient),
        allowed=allowed,
        via=told.via,
    )


def undeliverable(told: PhoneText, reason: str) -> DeadLetter:
    """Return what is kept for people of a text that cannot be delivered."""
    identity = told.facts if all(told.facts) else ("body", told.raw)
    return DeadLetter(
        id=message_id(told.via, *identity),
        sender=_address(told.sender),
        via=told.via,
        raw=told.raw,
        reason=reason,
    )


def _problem(told: PhoneText) -> str:
    """Return why no message can be made of it, or nothing."""
    if not all(told.facts):
        return "the webhook does not name its message"
    for name, value in (("sender", told.sender), ("recipient", told.recipient)):
        if not 0 < len(sms_address(value)) <= MAX_ADDRESS_CHARACTERS:
            return f"the webhook has no usable {name}"
    return ""


def _message(told: PhoneText, text: str) -> Message:
    return Message(
        id=message_id(told.via, *told.facts),
        sender=_address(told.sender),
        recipient=_address(told.recipient),
        text=text,
        via=told.via,
        wants_notice=True,
    )


def _address(value: str) -> Address:
    return Address(Network.SMS, sms_address(value)[:MAX_ADDRESS_CHARACTERS])


def _said(told: PhoneText, *, media_links: bool) -> str:
    """Return the text, with a note of the media that cannot travel."""
    said = told.text.replace("\0", "")
    media = told.media[:MAX_MEDIA]
    linked = [one for one in media if media_links and one.link]
    notes = [f"[{one.noun}: {one.link}]" for one in linked]
    notes.append(_left_out([one for one in media if one not in linked]))
    return "\n".join(line for line in (said, *notes) if line.strip())


def _left_out(media: Sequence[Media]) -> str:
    nouns = [one.noun for one in media]
    counted = [_counted(nouns.count(noun), noun) for noun in ("picture", "attachment")]
    named = " and ".join(words for words in counted if words)
    return f"[{named} left out]" if named else ""


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}" if count else ""
