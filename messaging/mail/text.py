"""Decodes the text of mails by its charset label or without one. Pure."""

import codecs
import encodings
import pkgutil
import re
from contextlib import suppress
from encodings.aliases import aliases
from functools import cache, lru_cache
from typing import Final

import charset_normalizer

from messaging.mail.iso_2022 import decode_iso_2022
from messaging.words.invisible import clean as clean
from messaging.words.invisible import one_line as one_line
from messaging.words.invisible import read_controls

# Labels that mail clients read as a larger charset than the label names, and labels that Python does not know.
_ALIASES: Final = {
    "iso8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601-1989": "cp949",
    "euc_jp": "euc_jis_2004",
    "big5": "cp950",
    "koi8-r": "koi8-u",
    "cswindows31j": "cp932",
    "ms932": "cp932",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "x-gbk": "gb18030",
    "x-sjis": "cp932",
    "x-windows-949": "cp949",
    "windows-874": "cp874",
    "unicode-1-1-utf-7": "utf-7",
    "x-mac-roman": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
}
# Codecs of Python that are no charsets of mail; some return no text, some need quadratic time, some emit warnings.
_NOT_FOR_MAIL: Final = frozenset(
    (
        *("aliases", "base64_codec", "bz2_codec", "charmap", "hex_codec", "idna", "mbcs", "oem"),
        *("punycode", "quopri_codec", "raw_unicode_escape", "rot_13", "undefined"),
        *("unicode_escape", "uu_codec", "zlib_codec"),
    )
)
_CHARSETS: Final = (
    frozenset(module.name for module in pkgutil.iter_modules(encodings.__path__)) - _NOT_FOR_MAIL
)
_FALLBACK: Final = "cp1252"
_SAMPLE_BYTES: Final = 4096
_SHORTEST_SAMPLE_BYTES: Final = 64
_FEW_SEQUENCES: Final = 2
# Where the usual extension of a charset does not know a character, another one may.
_OTHER_EXTENSIONS: Final = {"cp950": "big5hkscs"}
# The longest first: UTF-32 begins like UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDE_MARKS: Final = tuple(mark for mark, name in _MARKS if name != "utf-8")
_ESCAPES: Final = re.compile(rb"[\0\x1b]")
# The usual codecs that read bytes of ASCII as ASCII.
_LIKE_ASCII: Final = frozenset(("ascii", "utf-8", "cp1252", "iso8859-15", "iso8859-2"))
_BLANK: Final = re.compile(rb"\s")


def decode_text(
    data: bytes, label: str | None = None, *, guess: bool = True, other_label: str | None = None
) -> str:
    """Decode bytes. Never raises; U+FFFD replaces undecodable bytes, and none vanishes.

    In this order count: a byte order mark; the escapes of ISO-2022; UTF-8 that no accident makes; the label;
    `other_label`, such as that of a `<meta>`; UTF-8 with a few bytes of another charset; a guess, which takes
    milliseconds; Latin-1 as Windows uses it.
    """
    # Most header fields and most texts.
    is_plain = _codec_of(label) in _LIKE_ASCII if label else not other_label
    if is_plain and data.isascii() and not _ESCAPES.search(data):
        return data.decode()
    return read_controls(
        _decode(data, [_codec_of(one) for one in (label, other_label) if one], guess=guess)
    )


def _decode(data: bytes, codecs_in_order: list[str | None], *, guess: bool) -> str:
    first = codecs_in_order[0] if codecs_in_order else None
    if (text := _decode_by_signs(data, first)) is not None:
        return text
    others = [_OTHER_EXTENSIONS.get(one or "") for one in codecs_in_order]
    for name in (*codecs_in_order, *others, "utf-8"):
        if name is not None:
            try:
                return data.decode(name)
            except ValueError:
                continue
    with suppress(ValueError):
        # Java and some phones write each half of an emoji for itself.
        return (
            data.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16")
        )
    text = data.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    right = _count_beyond_ascii(text) - wrong
    if right and right >= wrong:
        return text  # UTF-8 with a few bytes of Latin-1 in it
    codec = next((one for one in codecs_in_order if one not in (None, "ascii", "utf-8")), None)
    if codec is None and guess and len(data) >= _SHORTEST_SAMPLE_BYTES:
        best = charset_normalizer.from_bytes(data[:_SAMPLE_BYTES]).best()
        codec = best.encoding if best is not None else None
    return data.decode(codec or _FALLBACK, "replace")


def _decode_by_signs(data: bytes, codec: str | None) -> str | None:
    """Return the text of bytes that say themselves what they are, against their label `codec`."""
    is_wide = codec is not None and codec.startswith(("utf-16", "utf-32"))
    for mark, name in _MARKS:
        if data.startswith(mark) and not is_wide:
            return data.decode(name, "replace")
    if is_wide and data.isascii() and b"\0" not in data and _BLANK.search(data):
        return data.decode()  # a program converted the text, but not the label
    if b"\0" in data and not (is_wide and data.startswith(_WIDE_MARKS)):
        # Every second byte of most texts in UTF-16 is zero.
        even, odd = data[::2], data[1::2]
        for name, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
            if zeros.count(0) * 2 > len(zeros) and not others.count(0):
                return data.decode(name, "replace")
    if is_wide:
        return None
    if b"\x1b" in data and (text := decode_iso_2022(data)) is not None:
        return text
    return data.decode() if codec and _is_surely_utf8(data, codec) else None


def _is_surely_utf8(data: bytes, codec: str) -> bool:
    """Whether bytes under another label are UTF-8: two sequences of it at least, and no byte beside them."""
    if data.isascii() or codec.startswith(("utf-", "ascii")):
        return False
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return _count_beyond_ascii(text) >= _FEW_SEQUENCES


def _count_beyond_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))


@lru_cache(maxsize=64)
def _codec_of(label: str) -> str | None:
    """Return the name of the Python codec for a label, None when there is none that fits mail."""
    wanted = label.strip(" \t'\"").lower()[:40]
    wanted = encodings.normalize_encoding(_ALIASES.get(wanted, wanted))
    bare = wanted.replace("_", "")
    module = aliases.get(wanted) or (wanted if wanted in _CHARSETS else aliases.get(bare, bare))
    return _load_codec(module) if module in _CHARSETS else None


# Only names of the table reach the codec registry, which keeps each name that it was ever asked for.
@cache
def _load_codec(module: str) -> str:
    name = codecs.lookup(module).name
    return _ALIASES.get(name, name)
