"""Turns bytes into text, whatever their charset label is worth."""

import codecs
from typing import Final

import charset_normalizer

# Labels that mail uses for more than they name (as every mail client reads them), or that Python does not know.
_READ_AS: Final = {
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
# Text codecs of Python that are no charsets of mail; some need quadratic time, some warn.
_NOT_FOR_MAIL: Final = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"}
_FALLBACK: Final = "cp1252"
_SAMPLE_BYTES: Final = 4096
_SHORTEST_SAMPLE_BYTES: Final = 64


def decode_text(data: bytes, label: str | None = None, *, guess: bool = True) -> str:
    """Return `data` as text: by its label, else as UTF-8, else by what its bytes look like. Never raises.

    What no reading explains becomes U+FFFD. A guess takes milliseconds; without one the last resort is Latin-1 as
    Windows writes it.
    """
    codec = _codec(label)
    for reading in (codec, "utf-8"):
        if reading is not None and (text := _strictly(data, reading)) is not None:
            return text
    if codec is None or codec == "ascii":
        codec = _guess(data) if guess else _FALLBACK
    return data.decode(codec, "replace")


def _codec(label: str | None) -> str | None:
    """Return the name of the Python codec for a label, None when there is none that fits mail."""
    if not label:
        return None
    wanted = label.strip(" \t'\"").lower()[:40]
    try:
        name = codecs.lookup(_READ_AS.get(wanted, wanted)).name
        b"x".decode(name, "ignore")  # refuses codecs that do not make text, such as zlib
    except (LookupError, ValueError):
        return None
    return None if name.replace("_", "-") in _NOT_FOR_MAIL else _READ_AS.get(name, name)


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        good = data[: error.start]
        # Text that was cut in the middle of its last character is still what it says it is.
        if codec == "utf-8" and error.start > len(data) - 4 and not good.isascii():
            return good.decode(codec)
    except ValueError:
        pass
    return None


def _guess(data: bytes) -> str:
    if len(data) < _SHORTEST_SAMPLE_BYTES:
        return _FALLBACK
    best = charset_normalizer.from_bytes(data[:_SAMPLE_BYTES]).best()
    return best.encoding if best is not None else _FALLBACK
