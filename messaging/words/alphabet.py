"""Writes typographic characters in their plain form, which costs less. Pure."""

import unicodedata
from collections.abc import Callable
from enum import StrEnum
from typing import Final


class Alphabet(StrEnum):
    """The characters that a text may have: as they were written, without typographic ones, or ASCII alone."""

    EXACT = "exact"
    PLAIN = "plain"
    ASCII = "ascii"


_PLAIN: Final = {
    **dict.fromkeys("‘’‚‛′ʹʻʼʽˈ`´＇", "'"), **dict.fromkeys("“”„‟″‶〝〞〟＂", '"'),
    **dict.fromkeys("‐‑‒–—―−﹘﹣－⁃", "-"), **dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u202f\u205f", " "), "…": "...", "‥": "..", "•": "*", "‣": "*", "◦": "*", "∙": "*",
    "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "‹": "<", "›": ">",
    "⁄": "/", "∕": "/", "×": "x", "✕": "x", "→": "->", "←": "<-", "⇒": "=>", "™": "(TM)", "℗": "(P)",
    "©": "(C)", "®": "(R)", "‼": "!!", "⁇": "??", "⁈": "?!", "⁉": "!?", "№": "No.", "½": "1/2", "¼": "1/4",
    "¾": "3/4",
}  # fmt: skip
_TO_PLAIN: Final = str.maketrans(_PLAIN)
_TO_ASCII: Final = str.maketrans({
    "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ẞ": "SS", "Æ": "AE",
    "æ": "ae", "Ø": "O", "ø": "o", "Å": "A", "å": "a", "Œ": "OE", "œ": "oe", "Ł": "L", "ł": "l", "Đ": "D",
    "đ": "d", "Þ": "Th", "þ": "th", "Ð": "D", "ð": "d", "ı": "i", "€": "EUR", "£": "GBP", "°": " deg",
    "«": '"', "»": '"', "¿": "?", "¡": "!", "µ": "u",
})  # fmt: skip


def write_plainly(text: str, alphabet: Alphabet, cost: Callable[[str], int] | None = None) -> str:
    """Return `text` in this alphabet. With a `cost`, plain characters are taken only where they cost less.

    Accents stay in plain text. ASCII has no other script: such characters become question marks.
    """
    if alphabet is Alphabet.EXACT or text.isascii():
        return text
    plain = text.translate(_TO_PLAIN)
    if alphabet is Alphabet.ASCII:
        apart = unicodedata.normalize("NFKD", plain.translate(_TO_ASCII))
        bare = "".join(one for one in apart if not unicodedata.combining(one))
        return bare.encode("ascii", "replace").decode()
    return plain if cost is None or cost(plain) < cost(text) else text
