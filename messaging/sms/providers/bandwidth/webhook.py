"""Checks Bandwidth's callbacks and reads them: a request in, messages, consents and receipts out. Pure.

Bandwidth's pages "Messaging webhooks" (the events) and "Webhooks: authentication" (RFC 7617 Basic credentials).
"""

import base64
import binascii
import hmac
import json
import mimetypes
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from pydantic import SecretStr

from messaging.model.message import (
    Address,
    DeadLetter,
    Network,
    OptOutChange,
    Receipt,
    ReceiptState,
    message_id,
)
from messaging.model.webhook import NotAuthentic, Webhook
from messaging.sms.account import Received
from messaging.sms.errors import Kind
from messaging.sms.inbound import Media, PhoneText, consent_of, received
from messaging.sms.opt_out_keywords import Keyword, keyword
from messaging.sms.providers.bandwidth.client import segment_count
from messaging.sms.providers.bandwidth.errors import of_code

CHALLENGE: Final = 'Basic realm="satbridge", charset="UTF-8"'
MAX_TYPE_CHARACTERS = 40
_ON_THEIR_WAY = ("message-sending", "message-sent")
_ARRIVED = ("message-delivered", "message-read")
# A list of what belongs together in an MMS, which phones need and people do not.
_LAYOUT = (".smil", ".smi")


def check_credentials(webhook: Webhook, username: str, password: SecretStr) -> None:
    """Return when the request has these credentials, compared in constant time. Raises NotAuthentic."""
    scheme, _, given = webhook.headers.get("authorization", "").strip().partition(" ")
    if not given or scheme.lower() != "basic":
        # The usual first request: credentials come when they are asked for (RFC 7235, section 2.1).
        raise NotAuthentic("no credentials came with it", CHALLENGE)
    try:
        said = base64.b64decode(given.strip().encode("latin-1"), validate=True)
    except (binascii.Error, ValueError):
        raise NotAuthentic("the credentials cannot be read", CHALLENGE) from None
    if not hmac.compare_digest(said, f"{username}:{password.get_secret_value()}".encode()):
        raise NotAuthentic("the credentials are wrong", CHALLENGE)


def events_of(body: bytes, via: str, *, media_links: bool) -> list[Received]:
    """Return what an authentic callback brings; one event that makes no sense does not hold up the others."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return [_strange(via, body, "the callback is not JSON")]
    events = found if isinstance(found, list) else [found]
    return [one for event in events for one in _event(event, via, media_links=media_links)]


def _event(event: Any, via: str, *, media_links: bool) -> list[Received]:
    message = event.get("message") if isinstance(event, dict) else None
    if not isinstance(message, dict):
        return [_strange(via, _raw(event), "the event has no message")]
    kind, is_ours = _text(event, "type"), message.get("direction") == "out"
    if not _text(message, "id"):
        return [_strange(via, _raw(event), "the event does not name its message")]
    if kind in _ARRIVED:
        return [_receipt(event, message, via, ReceiptState.DELIVERED)]
    if kind == "message-failed":
        return list(_failed(event, message, via))
    if kind in _ON_THEIR_WAY or is_ours:
        return []
    if kind == "message-received":
        return _from_phone(event, message, via, media_links=media_links)
    return [_strange(via, _raw(event), f"an event that cannot be carried: {_shown(kind)}")]


def _from_phone(
    event: dict[str, Any], message: dict[str, Any], via: str, *, media_links: bool
) -> list[Received]:
    # One event for each of our numbers in a group, all with the id of the one message.
    recipient = _text(event, "to") or _text(message, "owner")
    told = PhoneText(
        via=via,
        facts=(_text(message, "id"), recipient),
        sender=_text(message, "from"),
        recipient=recipient,
        text=_text(message, "text"),
        media=_media(message),
        raw=_raw(event),
    )
    wish = keyword(told.text)
    # Nobody else answers HELP here, so it is delivered like any other text.
    asked = None if wish is Keyword.HELP else wish
    return received(told, asked, is_sure=False, media_links=media_links)


def _failed(event: dict[str, Any], message: dict[str, Any], via: str) -> Iterator[Received]:
    meaning = of_code(event.get("errorCode"))
    is_open = meaning.kind is Kind.UNKNOWN
    state = ReceiptState.ON_ITS_WAY if is_open else ReceiptState.FAILED
    receipt = _receipt(event, message, via, state, meaning.reason)
    yield replace(receipt, retry_after_seconds=meaning.late_retry_seconds)
    if meaning.kind is Kind.OPTED_OUT:
        consent = _opted_out(event, message, via)
        if consent is not None:
            yield consent


def _receipt(
    event: dict[str, Any],
    message: dict[str, Any],
    via: str,
    state: ReceiptState,
    reason: str = "",
) -> Receipt:
    return Receipt(
        via=via,
        network_id=_text(message, "id"),
        state=state,
        reason=reason,
        at=_time(_text(event, "eventTime") or _text(event, "time")),
        billed_units=segment_count(message) if state is ReceiptState.DELIVERED else None,
    )


def _opted_out(event: dict[str, Any], message: dict[str, Any], via: str) -> OptOutChange | None:
    phone, number = _text(event, "to"), _text(message, "from") or _text(message, "owner")
    told = PhoneText(
        via=via,
        facts=(_text(message, "id"), phone),
        sender=phone,
        recipient=number,
        text="",
        raw=b"",
    )
    return consent_of(told, allowed=False) if phone and number else None


def _strange(via: str, raw: bytes, reason: str) -> DeadLetter:
    return DeadLetter(
        id=message_id(via, "body", raw),
        sender=Address(Network.SMS, ""),
        via=via,
        raw=raw,
        reason=reason,
    )


def _media(message: dict[str, Any]) -> list[Media]:
    listed = message.get("media")
    urls = [url for url in listed if isinstance(url, str)] if isinstance(listed, list) else []
    shown = [url for url in urls if not url.partition("?")[0].lower().endswith(_LAYOUT)]
    return [Media(url, mimetypes.guess_type(url.partition("?")[0])[0] or "") for url in shown]


def _text(found: dict[str, Any], name: str) -> str:
    """Return a field if it is a text that can be kept: JSON may hold halves of characters (RFC 8259, section 8.2)."""
    value = found.get(name)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _raw(event: Any) -> bytes:
    return json.dumps(event, ensure_ascii=True).encode()


def _shown(kind: str) -> str:
    return "".join(c for c in kind if c.isascii() and (c.isalnum() or c == "-"))[
        :MAX_TYPE_CHARACTERS
    ]


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
