"""Decodes the text of mails by its charset label or without one, and cleans it for people. Pure.

Cleaning removes control characters and superfluous white space.
"""

import codecs
import encodings
import pkgutil
import re
from encodings.aliases import aliases
from functools import cache
from typing import Final

import charset_normalizer

# Labels that mail clients read as a larger charset than the label names, and labels that Python does not know.
_ALIASES: Final = {
    "iso8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "ks_c_5601-1987": "cp949",
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

# Controls but newline and tab, lone surrogates (no store takes them), and invisible characters that cost a device
# money: soft hyphen, grapheme joiner, zero width space, word joiner, byte order mark.
_UNWANTED: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u00ad\u034f\u200b\u2060\ufeff]"
)
_LINE_ENDS: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_MANY_NEWLINES: Final = re.compile("\n{4,}")


def decode_text(data: bytes, label: str | None = None, *, guess: bool = True) -> str:
    """Decode by the label, else as UTF-8, else by a guess. Never raises; U+FFFD replaces undecodable bytes.

    A guess takes milliseconds. Without it the last resort is Latin-1 as Windows uses it.
    """
    codec = _codec_of(label) if label else None
    for name in (codec, "utf-8"):
        if name is None:
            continue
        try:
            return data.decode(name)
        except UnicodeDecodeError as error:
            valid = data[: error.start]
            # UTF-8 that was cut within its last character is still UTF-8.
            if name == "utf-8" and error.start > len(data) - 4 and not valid.isascii():
                return valid.decode(name)
        except ValueError:
            pass
    if codec is None or codec == "ascii":
        codec = _FALLBACK
        if guess and len(data) >= _SHORTEST_SAMPLE_BYTES:
            best = charset_normalizer.from_bytes(data[:_SAMPLE_BYTES]).best()
            codec = best.encoding if best is not None else _FALLBACK
    return data.decode(codec, "replace")


def _codec_of(label: str) -> str | None:
    """Return the name of the Python codec for a label, None when there is none that fits mail."""
    wanted = label.strip(" \t'\"").lower()[:40]
    wanted = encodings.normalize_encoding(_ALIASES.get(wanted, wanted))
    module = aliases.get(wanted, wanted)
    return _load_codec(module) if module in _CHARSETS else None


# Only names of the table reach the codec registry, which keeps each name that it was ever asked for.
@cache
def _load_codec(module: str) -> str:
    name = codecs.lookup(module).name
    return _ALIASES.get(name, name)


def clean(text: str) -> str:
    """Return `text` with `\\n` as its only line end, without control characters, trailing space or long gaps.

    At most two blank lines follow each other. All other characters stay unchanged, without Unicode normalisation.
    """
    text = _LINE_ENDS.sub("\n", text).replace("\xa0", " ")
    text = _UNWANTED.sub("", text)
    text = "\n".join([line.rstrip() for line in text.split("\n")])
    return _MANY_NEWLINES.sub("\n\n\n", text).strip("\n")


def one_line(text: str, max_chars: int) -> str:
    """Return `text` on one line of at most `max_chars` characters, without control characters."""
    line = _UNWANTED.sub("", " ".join(text.split()))
    return line if len(line) <= max_chars else line[: max_chars - 1] + "…"
