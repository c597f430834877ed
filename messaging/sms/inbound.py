"""Turns a text from a phone to one of our numbers into a message, an opt-out or a dead letter. Pure."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from messaging.model.address_syntax import sms_address
from messaging.model.message import Address, DeadLetter, Message, Network, OptOutChange, message_id
from messaging.sms.account import Received
from messaging.sms.opt_out_keywords import Keyword, is_everyday_answer
from messaging.words.invisible import clean, remove_invisible
from messaging.words.reactions import shorten_reaction

log = logging.getLogger(__name__)

MAX_ADDRESS_CHARACTERS: Final = 100
MAX_MEDIA: Final = 10
MAX_LINK_CHARACTERS: Final = 1000


def read_or_keep(via: str, body: bytes, read: Callable[[], list[Received]]) -> list[Received]:
    """Return the records that `read` finds in an authentic body; after a bug in it, the body as a dead letter.

    The provider would repeat the webhook for ever, and hear of the same bug each time.
    """
    try:
        return read()
    except Exception as error:
        # The type only: the text may quote the body.
        log.error("%s: a webhook cannot be read (%s); it is kept", via, type(error).__name__)
        return [unreadable_body(via, body, "the gateway cannot read this webhook")]


def unreadable_body(via: str, body: bytes, reason: str) -> DeadLetter:
    """Return the dead letter of a body that makes no sense."""
    return DeadLetter(
        id=message_id(via, "body", body),
        sender=Address(Network.SMS, ""),
        via=via,
        raw=body,
        reason=reason,
    )


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or another attachment: where the provider keeps it, and its type."""

    url: str
    content_type: str

    @property
    def noun(self) -> str:
        """The word for it in a text."""
        return "picture" if self.content_type.lower().startswith("image/") else "attachment"

    @property
    def link(self) -> str:
        """The URL, if it can stand in a text; else nothing."""
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
    """A text as a provider passes it on, in whole characters.

    `identity` tells it from every other text at the account `via`; `raw` is the whole webhook.
    """

    via: str
    identity: tuple[str, ...]
    sender: str
    recipient: str
    text: str
    media: Sequence[Media] = ()
    raw: bytes


def record_ids(via: str, *identity: str) -> tuple[str, str]:
    """Return the ids of what a text brings: of its message or dead letter, and of its opt-out."""
    # The word is part of ids in the store.
    return message_id(via, *identity), message_id(via, *identity, "consent")


def records_of(
    phone_text: PhoneText, wish: Keyword | None, *, is_sure: bool, media_links: bool
) -> list[Received]:
    """Return the records that the text brings.

    `wish` is the keyword that the text is, `is_sure` says that the provider itself calls it one. A bare "yes" opts in,
    and is delivered too unless the provider is sure. The caller answers HELP.
    """
    text = _text_with_media(phone_text, media_links=media_links)
    problem = ""
    if not all(phone_text.identity):
        problem = "the webhook does not name its message"
    elif not 0 < len(sms_address(phone_text.sender)) <= MAX_ADDRESS_CHARACTERS:
        problem = "the webhook has no usable sender"
    elif not 0 < len(sms_address(phone_text.recipient)) <= MAX_ADDRESS_CHARACTERS:
        problem = "the webhook has no usable recipient"
    elif wish not in (Keyword.STOP, Keyword.START) and not text:
        problem = "the text is empty"
    if problem:
        return [dead_letter(phone_text, problem)]
    message = Message(
        id=record_ids(phone_text.via, *phone_text.identity)[0],
        sender=_address(phone_text.sender),
        recipient=_address(phone_text.recipient),
        text=text,
        via=phone_text.via,
        wants_notice=True,
    )
    if wish not in (Keyword.STOP, Keyword.START):
        return [message]
    change = opt_out_change(phone_text, allowed=wish is Keyword.START)
    return [change, message] if not is_sure and is_everyday_answer(phone_text.text) else [change]


def opt_out_change(phone_text: PhoneText, *, allowed: bool) -> OptOutChange:
    """Return the record that its phone allows texts from its number, or no longer."""
    return OptOutChange(
        id=record_ids(phone_text.via, *phone_text.identity)[1],
        sender=_address(phone_text.sender),
        recipient=_address(phone_text.recipient),
        allowed=allowed,
        via=phone_text.via,
    )


def dead_letter(phone_text: PhoneText, reason: str) -> DeadLetter:
    """Return the dead letter of a text that cannot be delivered."""
    has_identity = all(phone_text.identity)
    identity = phone_text.identity if has_identity else ("body", phone_text.raw)
    return DeadLetter(
        id=message_id(phone_text.via, *identity),
        sender=_address(phone_text.sender),
        via=phone_text.via,
        raw=phone_text.raw,
        reason=reason,
        text=phone_text.text.replace("\0", ""),
    )


def _address(value: str) -> Address:
    return Address(Network.SMS, sms_address(value)[:MAX_ADDRESS_CHARACTERS])


def _text_with_media(phone_text: PhoneText, *, media_links: bool) -> str:
    """Return the text, with links to its media, and a count of those that have none."""
    media = phone_text.media[:MAX_MEDIA]
    with_link = [one for one in media if media_links and one.link]
    lines = [shorten_reaction(remove_invisible(clean(phone_text.text))).strip("\n")]
    lines += [f"[{one.noun}: {one.link}]" for one in with_link]
    nouns = [one.noun for one in media if one not in with_link]
    counts = [(nouns.count(noun), noun) for noun in ("picture", "attachment")]
    named = [f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts if count]
    if named:
        lines.append(f"[{' and '.join(named)} left out]")
    return "\n".join(line for line in lines if line.strip())
