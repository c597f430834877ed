"""Reads the text and the names of the files in a winmail.dat (MS-OXTNEF). Pure.

`tnefparse` is under the LGPL and unmaintained, and reads far more than the text; these few fields need a page.
Compressed rich text is not read: programs that write it write the text or the HTML beside it.
"""

import struct
from dataclasses import dataclass
from typing import Final

_SIGNATURE: Final = 0x223E9F78
_BODY: Final = 0x0002800C
_PROPERTIES: Final = 0x00069003
_ATTACHMENT_TITLE: Final = 0x00018010
_TEXT: Final = 0x1000
_HTML: Final = 0x1013
_MAX_ATTRIBUTES: Final = 2000
_MAX_PROPERTIES: Final = 2000
_SIZES: Final = {
    0x02: 4,
    0x03: 4,
    0x04: 4,
    0x05: 8,
    0x06: 8,
    0x07: 8,
    0x0A: 4,
    0x0B: 4,
    0x14: 8,
    0x40: 8,
    0x48: 16,
}
_STRING8: Final = 0x1E
_UNICODE: Final = 0x1F
_BINARY: Final = (0x0D, 0x102)
_MULTIPLE: Final = 0x1000


@dataclass(frozen=True, slots=True, repr=False)
class TnefContent:
    """The text, as plain bytes or a string or HTML bytes, and the names of the files."""

    text: str | bytes
    html: bytes
    files: tuple[bytes, ...]


def read_tnef(data: bytes) -> TnefContent | None:
    """Return the content; None for other bytes. Never raises."""
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        return None
    at = 6
    text: str | bytes = ""
    html = b""
    files: list[bytes] = []
    for _ in range(_MAX_ATTRIBUTES):
        if at + 9 > len(data):
            break
        identifier, size = struct.unpack_from("<II", data, at + 1)
        content = data[at + 9 : at + 9 + size]
        at += 9 + size + 2
        if identifier == _BODY:
            text = text or content.rstrip(b"\0")
        elif identifier == _ATTACHMENT_TITLE:
            files.append(content.rstrip(b"\0"))
        elif identifier == _PROPERTIES:
            found, html = _read_properties(content)
            text = found or text
    return TnefContent(text, html, tuple(files))


def _read_properties(data: bytes) -> tuple[str | bytes, bytes]:
    """Return the plain text and the HTML among the properties of the message."""
    text: str | bytes = ""
    html = b""
    at = 4
    for _ in range(_MAX_PROPERTIES):
        if at + 4 > len(data):
            break
        kind, name = struct.unpack_from("<HH", data, at)
        at += 4
        if name >= 0x8000:
            at = _skip_name(data, at)
        values, at = _read_values(data, at, kind)
        if values and name == _TEXT:
            is_unicode = kind == _UNICODE
            text = (
                values[0].decode("utf-16-le", "replace").rstrip("\0") if is_unicode else values[0]
            )
        elif values and name == _HTML:
            html = values[0]
    return text, html


def _skip_name(data: bytes, at: int) -> int:
    """Return the position behind the name of a property: a GUID, and a number or a text."""
    at += 16
    if at + 8 > len(data):
        return len(data)
    kind, value = struct.unpack_from("<II", data, at)
    return at + 8 if kind == 0 else at + 8 + (value + 3) // 4 * 4


def _read_values(data: bytes, at: int, kind: int) -> tuple[list[bytes], int]:
    """Return the values that have a length of their own, and the position behind all values."""
    is_multiple, base = bool(kind & _MULTIPLE), kind & ~_MULTIPLE
    if base in _SIZES:
        count = 1
        if is_multiple:
            if at + 4 > len(data):
                return [], len(data)
            [count] = struct.unpack_from("<I", data, at)
            at += 4
        return [], at + count * _SIZES[base]
    if base not in (_STRING8, _UNICODE, *_BINARY) or at + 4 > len(data):
        return [], len(data)
    [count] = struct.unpack_from("<I", data, at)
    at += 4
    values: list[bytes] = []
    for _ in range(min(count, _MAX_PROPERTIES)):
        if at + 4 > len(data):
            break
        [size] = struct.unpack_from("<I", data, at)
        value = data[at + 4 : at + 4 + size]
        values.append(value.rstrip(b"\0") if base == _STRING8 else value)
        at += 4 + (size + 3) // 4 * 4
    return values, at
