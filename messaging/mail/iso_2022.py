"""Decodes ISO-2022-JP as programs write it, with characters that its codec does not know. Pure.

The label promises less than Outlook and phones write: NEC and IBM characters such as `①`, half-width kana. Shift JIS
of Windows has all of them, so the bytes are put in its form.
"""

import re
from typing import Final

_ESCAPE: Final = re.compile(rb"\x1b(\$[@B]|\$\([@BD]|\$\)C|\([BJIH])")
_ASCII: Final = (b"(B", b"(J", b"(H")
_KANA: Final = b"(I"
_SUPPLEMENT: Final = b"$(D"
_KOREAN: Final = b"$)C"


def decode_iso_2022(data: bytes) -> str | None:
    """Return the text; None when no escape of this family is in it. Never raises."""
    pieces = _ESCAPE.split(data)
    if len(pieces) == 1:
        return None
    if _KOREAN in pieces[1::2]:
        return data.decode("iso2022_kr", "replace")
    texts = [_decode_plain(pieces[0])]
    for escape, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        if escape in _ASCII:
            texts.append(_decode_plain(piece))
        elif escape == _KANA:
            texts.append(_high(piece).decode("cp932", "replace"))
        else:
            texts.append(_decode_pairs(piece, is_supplement=escape == _SUPPLEMENT))
    return "".join(texts)


def _decode_plain(piece: bytes) -> str:
    return piece.decode("utf-8", "replace")


def _high(piece: bytes) -> bytes:
    """Return the bytes with their eighth bit set, but for controls and blanks."""
    return bytes(byte | 0x80 if byte > 0x20 else byte for byte in piece)


def _decode_pairs(piece: bytes, *, is_supplement: bool) -> str:
    """Decode two bytes a character; a line end within them ends the line alone."""
    lines = []
    for line in piece.split(b"\n"):
        if is_supplement:
            pairs = (line[at : at + 2] for at in range(0, len(line), 2))
            lines.append(
                b"".join(b"\x8f" + _high(pair) for pair in pairs).decode("euc_jp", "replace")
            )
        else:
            lines.append(_shift(line).decode("cp932", "replace"))
    return "\n".join(lines)


def _shift(line: bytes) -> bytes:
    """Return pairs of JIS in the form of Shift JIS; bytes that make no pair stay."""
    shifted = bytearray()
    at = 0
    while at < len(line):
        pair = line[at : at + 2]
        if len(pair) < 2 or not all(0x21 <= byte <= 0x7E for byte in pair):
            shifted.append(line[at])
            at += 1
            continue
        row, cell = pair
        first = (row + 1) // 2 + (0x70 if row <= 0x5E else 0xB0)
        second = cell + ((0x1F if cell <= 0x5F else 0x20) if row % 2 else 0x7E)
        shifted += bytes((first, second))
        at += 2
    return bytes(shifted)
