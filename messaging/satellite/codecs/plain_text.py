"""Bytes of a satellite packet ↔ plain text, as typed and read on a device. Pure.

The router finds the recipient of a text: `messaging.store.accept.address_line` has the other half of the format.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass

from messaging.model.message import Message
from messaging.satellite.codecs.protobuf import clean
from messaging.sending.split import split
from messaging.words.subject import lines_to_show

# Erased memory is full of ones, which are no UTF-8.
_PADDING = b"\0\xff"
_BYTE_ORDER_MARK = "\ufeff"
# Keyboards make none of these, and every packet of the devices' own format has some: the bytes 8 and 1.
_CONTROLS = "".join(map(chr, (*range(0x20), 0x7F)))
# Terminals that know no UTF-8 type these; few of them in a text, many in any other bytes.
_ACCENTED = frozenset(
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜßàáâãäåæçèéêëìíîïñòóôõöøùúûüŠšŽžŒœ€£§°ºª·´¿¡«»‘’“”–…\xa0"
)
_MIN_PLAIN_SHARE = 2
# The last letter of a text in Latin-1 stands behind a letter; a character of UTF-8 that was cut off seldom does.
_LATIN_1_END = re.compile(rb"[\x00-\x7f]*[A-Za-z][\xdf-\xf4]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` units, as `size` counts them."""

    most: int
    size: Callable[[str], int]


def utf8_bytes(text: str) -> int:
    """Return the size of a text for providers that carry bytes."""
    return len(text.encode("utf-8", "replace"))


def utf16_units(text: str) -> int:
    """Return the size of a text for providers that count characters; those beyond U+FFFF, such as emoji, count two."""
    return len(text) + sum(character > "\uffff" for character in text)


def text_of(payload: bytes) -> str | None:
    """Return the text in UTF-8 bytes, or in those of Windows; None for bytes that no keyboard makes. Never raises.

    Leaves out padding, control characters at the end, and a last character that the device cut off.
    """
    payload = payload.rstrip(_PADDING)
    visible = payload.rstrip(_CONTROLS.encode())
    if _LATIN_1_END.fullmatch(visible):
        payload = visible.decode("cp1252").encode()
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(payload)
    except UnicodeDecodeError:
        text = payload.decode("cp1252", "replace")
        accented = [character for character in text if character > "\x7f"]
        is_text = all(character in _ACCENTED for character in accented)
        if not is_text or len(accented) * _MIN_PLAIN_SHARE > len(text):
            return None
    text = text.removeprefix(_BYTE_ORDER_MARK).rstrip(_CONTROLS)
    return None if _CONTROL.search(text) or not text.strip() else text.strip()


def text_packets(message: Message, limit: Limit, max_parts: int) -> list[bytes]:
    """Return the downlink packets that carry `message` in plain text, in order; the same for the same arguments.

    Each begins with the address for an answer: `@alice 1/2 …` for a contact of the device's owner, else the address
    itself, behind which the first one has the display name in brackets. A subject that is news is the first line.
    Raises Rejected when the address leaves no room for text.
    """
    sender = f"@{message.sender_name}" if message.sender_name else message.sender.value
    before = clean(f"{sender} " if sender else "")
    name = f"({message.display_name}) " if message.display_name and not message.sender_name else ""
    text = clean(name + lines_to_show(message.subject, message.text))

    def size(part: str) -> int:
        return limit.size(before + part)

    parts = split(text, size, limit.most, max_parts, message.rest_characters)
    return [(before + part).strip().encode() for part in parts]
