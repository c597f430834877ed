"""Validates records before they reach the store: refuses what cannot be stored, or shortens it. Pure."""

import re
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from messaging.config.settings import StoreLimits
from messaging.model.address_syntax import MAX_ADDRESS_CHARACTERS
from messaging.model.message import (
    Address,
    Bounce,
    DeadLetter,
    DeviceReport,
    DeviceText,
    Inbound,
    Message,
    Network,
    OptOutChange,
    Receipt,
    RecipientCheck,
)
from messaging.store.accept.claimed_times import replace_impossible_times
from messaging.store.accept.refusals import Refusal

MAX_ID_CHARACTERS = 32
MAX_VIA_CHARACTERS = 32
MAX_REASON_CHARACTERS = 1000
MAX_REFERENCE_CHARACTERS = 998
MAX_DISPLAY_NAME_CHARACTERS = 200
MAX_HEADER_BYTES = 65_536
RAW_CUT = "; only the first {limit} of its {size} bytes are kept"

R = TypeVar("R", DeadLetter, Bounce)

# PostgreSQL stores no NUL, and no store half a surrogate pair. U+FDD0 marks texts that are encrypted.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff\ufdd0]")
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def storable(text: str) -> str:
    """Return the text with every character that no store can hold replaced by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text) if _UNSTORABLE.search(text) else text


def short_reason(text: str) -> str:
    """Return a reason, shortened to the length that the history holds."""
    clean = storable(text)
    if len(clean) <= MAX_REASON_CHARACTERS:
        return clean
    return clean[: MAX_REASON_CHARACTERS - 1] + "…"


def validate(record: Inbound, limits: StoreLimits, now: datetime) -> Inbound | Refusal:
    """Return the record in a form that can be stored, or why it is refused.

    The time of receipt, `now`, replaces impossible times. Shortens a `DeadLetter` and a `Bounce` instead of refusing
    them: their network cannot repeat them.
    """
    match record:
        case Message():
            text = record.subject + max(record.text, record.whole_text, key=len)
            addresses = (
                record.sender,
                record.recipient,
                *(
                    Address(Network.EMAIL, one)
                    for one in (record.return_path, record.answer_address)
                    if one
                ),
            )
            return _refuse_content(record, text, limits, *addresses) or replace(
                replace_impossible_times(record, now),
                subject=storable(record.subject),
                text=storable(record.text),
                whole_text=storable(record.whole_text),
                reference=storable(record.reference)[:MAX_REFERENCE_CHARACTERS],
                display_name=storable(record.display_name)[:MAX_DISPLAY_NAME_CHARACTERS],
            )
        case DeviceText():
            refusal = _refuse_content(record, record.text, limits, record.sender)
            record = replace_impossible_times(record, now)
            return refusal or replace(record, text=storable(record.text))
        case DeadLetter():
            recipient = _shorten_address(record.recipient) if record.recipient else None
            is_mail = record.sender.network is Network.EMAIL
            limit = limits.max_mail_body_bytes if is_mail else limits.max_raw_bytes
            text = storable(record.text).encode()[:limit].decode(errors="ignore")
            return _shorten(replace(record, recipient=recipient, text=text), limits)
        case Bounce():
            return _refuse_address(record.recipient) or _shorten(record, limits)
        case RecipientCheck():
            return _refuse_address(record.recipient) or record
        case OptOutChange():
            return _refuse_address(record.sender) or _refuse_address(record.recipient) or record
        case DeviceReport():
            record = replace_impossible_times(record, now)
            return _refuse_address(record.sender) or replace(record, text=storable(record.text))
        case Receipt():
            return replace(record, network_id=storable(record.network_id))


def _refuse_content(
    record: Message | DeviceText, text: str, limits: StoreLimits, *addresses: Address
) -> Refusal | None:
    for address in addresses:
        if refusal := _refuse_address(address):
            return refusal
    for name, limit in ((record.id, MAX_ID_CHARACTERS), (record.via, MAX_VIA_CHARACTERS)):
        if not (0 < len(name) <= limit and name.isascii() and name.isprintable()):
            return Refusal("malformed", "the message has no proper identity")
    limit = limits.max_text_bytes
    # A character has at most four bytes: only a text that may be too large is encoded.
    if len(text) > limit // 4 and len(text.encode("utf-8", "replace")) > limit:
        return Refusal("too_large", f"the text is longer than {limit} bytes")
    return None


def _refuse_address(address: Address) -> Refusal | None:
    if len(address.value) > MAX_ADDRESS_CHARACTERS:
        reason = f"an address is longer than {MAX_ADDRESS_CHARACTERS} characters"
        return Refusal("malformed", reason)
    if _CONTROL.search(address.value):
        return Refusal("malformed", "an address holds characters that no address has")
    return None


def _shorten(record: R, limits: StoreLimits) -> R:
    size, limit = len(record.raw), limits.max_raw_bytes
    if record.sender.network is Network.EMAIL:
        header_end = _HEADER_END.search(record.raw, 0, MAX_HEADER_BYTES)
        header_bytes = header_end.end() if header_end else 0
        limit = min(limit, header_bytes + limits.max_mail_body_bytes)
    note = RAW_CUT.format(limit=limit, size=size) if size > limit else ""
    return replace(
        record,
        id=storable(record.id)[:MAX_ID_CHARACTERS],
        via=storable(record.via)[:MAX_VIA_CHARACTERS],
        sender=_shorten_address(record.sender),
        raw=record.raw[:limit],
        reason=short_reason(record.reason + note),
    )


def _shorten_address(address: Address) -> Address:
    value = _CONTROL.sub("\ufffd", address.value)[:MAX_ADDRESS_CHARACTERS]
    return Address(address.network, value)
