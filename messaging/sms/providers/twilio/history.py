"""Reads Twilio's list of texts: gives each the fields of its webhook. Pure.

Twilio's page "Message resource" (the fields). Of an incoming text, `date_sent` is the time at which Twilio received it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from messaging.sms.fetcher import ListedText
from messaging.sms.inbound import MAX_MEDIA
from messaging.sms.providers.twilio.webhook import FINAL_STATUSES

INBOUND = "inbound"


def listed_text(message: Any) -> ListedText | None:
    """Return one message of the SDK as a listed text; None for one without an id or a time."""
    at = message.date_sent or message.date_created
    if not isinstance(message.sid, str) or not message.sid or not isinstance(at, datetime):
        return None
    number = _text(message.num_media)
    media = min(int(number[:3]), MAX_MEDIA) if number.isascii() and number.isdecimal() else 0
    form = {
        "MessageSid": message.sid,
        "From": _text(message.from_),
        "To": _text(message.to),
    }
    is_inbound = message.direction == INBOUND
    if is_inbound:
        form |= {"Body": _text(message.body), "NumMedia": str(media)}
    else:
        form |= {"MessageStatus": _text(message.status), "ErrorCode": _text(message.error_code)}
    return ListedText(
        network_id=message.sid,
        at=at if at.tzinfo else at.replace(tzinfo=UTC),
        is_inbound=is_inbound,
        is_final=message.status in FINAL_STATUSES,
        form=form,
        sender=form["From"],
        recipient=form["To"],
        media=media if is_inbound else 0,
    )


def with_media(text: ListedText, media: Sequence[Any], api_url: str) -> ListedText:
    """Return the text with the links to its media, as its webhook names them."""
    links: Mapping[str, str] = {
        name: value
        for number, one in enumerate(media[:MAX_MEDIA])
        for name, value in (
            (f"MediaUrl{number}", f"{api_url}{_text(one.uri).removesuffix('.json')}"),
            (f"MediaContentType{number}", _text(one.content_type)),
        )
        if isinstance(one.uri, str)
    }
    return replace(text, form={**text.form, **links}, media=0)


def _text(value: object) -> str:
    # JSON may hold halves of characters (RFC 8259 section 8.2), which cannot be stored.
    return "" if value is None else str(value).encode("utf-8", "replace").decode()
