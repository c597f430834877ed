"""Counts the segments of a text, which providers charge for. Pure.

3GPP TS 23.038 section 6.2.1 (the GSM 7-bit alphabet and its extension) and TS 23.040 section 9.2.3.24.1 (the header of
6 bytes that joins parts). No alphabet of a national language is counted, because no provider here sends one.
"""

from typing import Final

_GSM_7: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
_SEPTETS, _SEPTETS_OF_A_PART = 160, 153
_UNITS, _UNITS_OF_A_PART = 70, 67


def segments(text: str) -> int:
    """Return how many SMS the text takes: GSM-7 when every character is in that alphabet, else UCS-2.

    A character of two units (the extension, or a surrogate pair in UTF-16) is never cut in the middle.
    """
    if all(c in _GSM_7 or c in _EXTENSION for c in text):
        return _parts([1 + (c in _EXTENSION) for c in text], _SEPTETS, _SEPTETS_OF_A_PART)
    return _parts([1 + (c > "\uffff") for c in text], _UNITS, _UNITS_OF_A_PART)


def _parts(sizes: list[int], alone: int, joined: int) -> int:
    if sum(sizes) <= alone:
        return 1
    parts, room = 1, joined
    for size in sizes:
        if size > room:
            parts, room = parts + 1, joined
        room -= size
    return parts
