"""Reads Bandwidth's callbacks: authentic events in; messages, opt-outs and receipts out. Pure.

Bandwidth's page "Messaging webhooks" (the events).
"""

import json
import mimetypes
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

from messaging.model.message import Receipt, ReceiptState
from messaging.sms.account import Received
from messaging.sms.errors import Kind
from messaging.sms.inbound import (
    Media,
    PhoneText,
    opt_out_change,
    read_or_keep,
    records_of,
    unreadable_body,
)
from messaging.sms.opt_out_keywords import keyword
from messaging.sms.providers.bandwidth.errors import of_code
from messaging.sms.providers.bandwidth.wire import bytes_of, segment_count, text_of, time_of

MAX_TYPE_CHARACTERS: Final = 40
ON_THEIR_WAY: Final = ("message-sending", "message-sent")
FINAL: Final = ("message-delivered", "message-read")
# A list of what belongs together in an MMS, which phones need and people do not.
LAYOUT: Final = (".smil", ".smi")


def read_callback(body: bytes, via: str, *, media_links: bool) -> list[Received]:
    """Return the records that an authentic callback brings; an event without sense does not hold up the others."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return [unreadable_body(via, body, "the callback is not JSON")]
    events = found if isinstance(found, list) else [found]
    records: list[Received] = []
    for event in events:
        read = partial(_read_event, event, via, media_links=media_links)
        records += read_or_keep(via, bytes_of(event), read)
    return records


def _read_event(event: Any, via: str, *, media_links: bool) -> list[Received]:
    message = event.get("message") if isinstance(event, dict) else None
    if not isinstance(message, dict):
        return [unreadable_body(via, bytes_of(event), "the event has no message")]
    kind, is_ours = text_of(event, "type"), message.get("direction") == "out"
    if not text_of(message, "id"):
        return [unreadable_body(via, bytes_of(event), "the event does not name its message")]
    if kind in FINAL:
        return [_receipt(event, message, via, ReceiptState.DELIVERED)]
    if kind == "message-failed":
        return list(_read_failure(event, message, via))
    if kind in ON_THEIR_WAY or is_ours:
        return []
    if kind == "message-received":
        return _read_phone_text(event, message, via, media_links=media_links)
    name = "".join(c for c in kind if c.isascii() and (c.isalnum() or c == "-"))
    reason = f"an event that cannot be carried: {name[:MAX_TYPE_CHARACTERS]}"
    return [unreadable_body(via, bytes_of(event), reason)]


def _read_phone_text(
    event: dict[str, Any], message: dict[str, Any], via: str, *, media_links: bool
) -> list[Received]:
    # One event for each of our numbers in a group, all with the id of the one message.
    recipient = text_of(event, "to") or text_of(message, "owner")
    media = message.get("media")
    urls = [url for url in media if isinstance(url, str)] if isinstance(media, list) else []
    paths = [(url, url.partition("?")[0]) for url in urls]
    phone_text = PhoneText(
        via=via,
        identity=(text_of(message, "id"), recipient),
        sender=text_of(message, "from"),
        recipient=recipient,
        text=text_of(message, "text"),
        media=[
            Media(url, mimetypes.guess_type(path)[0] or "")
            for url, path in paths
            if not path.lower().endswith(LAYOUT)
        ],
        raw=bytes_of(event),
    )
    # Bandwidth does not answer HELP, so it is delivered like any other text.
    wish = keyword(phone_text.text)
    return records_of(phone_text, wish, is_sure=False, media_links=media_links)


def _read_failure(event: dict[str, Any], message: dict[str, Any], via: str) -> Iterator[Received]:
    meaning = of_code(event.get("errorCode"))
    is_open = meaning.kind is Kind.UNKNOWN
    state = ReceiptState.ON_ITS_WAY if is_open else ReceiptState.FAILED
    receipt = _receipt(event, message, via, state, meaning.reason)
    yield replace(receipt, retry_after_seconds=meaning.late_retry_seconds)
    if meaning.kind is not Kind.OPTED_OUT:
        return
    phone, number = text_of(event, "to"), text_of(message, "from") or text_of(message, "owner")
    if phone and number:
        reply = PhoneText(
            via=via,
            identity=(text_of(message, "id"), phone),
            sender=phone,
            recipient=number,
            text="",
            raw=b"",
        )
        yield opt_out_change(reply, allowed=False)


def _receipt(
    event: dict[str, Any],
    message: dict[str, Any],
    via: str,
    state: ReceiptState,
    reason: str = "",
) -> Receipt:
    return Receipt(
        via=via,
        network_id=text_of(message, "id"),
        state=state,
        reason=reason,
        at=time_of(text_of(event, "eventTime") or text_of(event, "time")),
        billed_units=segment_count(message) if state is ReceiptState.DELIVERED else None,
    )
