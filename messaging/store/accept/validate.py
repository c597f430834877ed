"""Bounds what a source may offer, before anything of it touches the store: pure."""

import re
from dataclasses import replace
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
    OptOutChange,
    Receipt,
    RecipientCheck,
)
from messaging.store.accept.policy import Refusal

MAX_ID_CHARACTERS = 32
MAX_VIA_CHARACTERS = 32
MAX_REASON_CHARACTERS = 1000
MAX_REFERENCE_CHARACTERS = 998
Kept = TypeVar("Kept", DeadLetter, Bounce)
RAW_CUT = "; only the first {limit} of its {size} bytes are kept"

# PostgreSQL stores no NUL, and nothing stores half a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def storable(text: str) -> str:
    """Return the text with what no store can hold replaced by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text) if _UNSTORABLE.search(text) else text


def short_reason(text: str) -> str:
    """Return a reason that fits the history."""
    clean = storable(text)
    if len(clean) <= MAX_REASON_CHARACTERS:
        return clean
    return clean[: MAX_REASON_CHARACTERS - 1] + "…"


def validate(record: Inbound, limits: StoreLimits) -> Inbound | Refusal:
    """Return the record in a form that can be stored, or why it cannot be taken whatever the store says.

    What a network handed over and cannot be asked to repeat (`DeadLetter`, `Bounce`) is cut, never refused.
    """
    match record:
        case Message():
            return _admit_message(record, limits)
        case DeviceText():
            return _admit_typed(record, limits)
        case DeadLetter():
            recipient = _shortened(record.recipient) if record.recipient else None
            return _cut(replace(record, recipient=recipient), limits)
        case Bounce():
            return _wrong_address(record.recipient) or _cut(record, limits)
        case RecipientCheck():
            return _wrong_address(record.recipient) or record
        case OptOutChange():
            return _wrong_address(record.sender) or _wrong_address(record.recipient) or record
        case DeviceReport():
            return _wrong_address(record.sender) or replace(record, text=storable(record.text))
        case Receipt():
            return replace(record, network_id=storable(record.network_id))


def _admit_message(message: Message, limits: StoreLimits) -> Message | Refusal:
    wrong = _wrong_address(message.sender) or _wrong_address(message.recipient)
    if wrong is not None:
        return wrong
    wrong = _wrong_name(message) or _too_large(message.subject + message.text, limits)
    if wrong is not None:
        return wrong
    return replace(
        message,
        subject=storable(message.subject),
        text=storable(message.text),
        reference=storable(message.reference)[:MAX_REFERENCE_CHARACTERS],
    )


def _admit_typed(typed: DeviceText, limits: StoreLimits) -> DeviceText | Refusal:
    wrong = _wrong_address(typed.sender) or _wrong_name(typed) or _too_large(typed.text, limits)
    return wrong or replace(typed, text=storable(typed.text))


def _wrong_name(record: Message | DeviceText) -> Refusal | None:
    if _is_label(record.id, MAX_ID_CHARACTERS) and _is_label(record.via, MAX_VIA_CHARACTERS):
        return None
    return Refusal("malformed", "the message has no proper identity")


def _too_large(text: str, limits: StoreLimits) -> Refusal | None:
    if not _is_larger(text, limits.max_text_bytes):
        return None
    return Refusal("too_large", f"the text is longer than {limits.max_text_bytes} bytes")


def _wrong_address(address: Address) -> Refusal | None:
    if len(address.value) > MAX_ADDRESS_CHARACTERS:
        return Refusal(
            "malformed", f"an address is longer than {MAX_ADDRESS_CHARACTERS} characters"
        )
    if _CONTROL.search(address.value):
        return Refusal("malformed", "an address holds characters that no address has")
    return None


def _is_label(text: str, max_characters: int) -> bool:
    return 0 < len(text) <= max_characters and text.isascii() and text.isprintable()


def _is_larger(text: str, max_bytes: int) -> bool:
    # A character has at most four bytes: only a text that might be too large is encoded to know.
    return len(text) > max_bytes // 4 and len(text.encode("utf-8", "replace")) > max_bytes


def _cut(record: Kept, limits: StoreLimits) -> Kept:
    size, limit = len(record.raw), limits.max_raw_bytes
    note = RAW_CUT.format(limit=limit, size=size) if size > limit else ""
    return replace(
        record,
        id=storable(record.id)[:MAX_ID_CHARACTERS],
        via=storable(record.via)[:MAX_VIA_CHARACTERS],
        sender=_shortened(record.sender),
        raw=record.raw[:limit],
        reason=short_reason(record.reason + note),
    )


def _shortened(address: Address) -> Address:
    value = _CONTROL.sub("\ufffd", address.value)[:MAX_ADDRESS_CHARACTERS]
    return Address(address.network, value)
