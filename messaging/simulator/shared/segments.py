"""Counts the SMS of a text as the simulated providers charge for them (3GPP TS 23.038 and 23.040).

Written apart from the gateway's own count, so that the two check each other.
"""

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("^{}\\[~]|€\f")


def segments(body: str) -> int:
    """Return how many SMS a body takes: GSM-7 160 or 153 each, UCS-2 70 or 67 each."""
    if all(c in _GSM or c in _GSM_EXTENDED for c in body):
        written, single, several = [c * (1 + (c in _GSM_EXTENDED)) for c in body], 160, 153
    else:
        written, single, several = [c * (1 + (ord(c) > 0xFFFF)) for c in body], 70, 67
    if len("".join(written)) <= single:
        return 1
    parts = [""]
    for character in written:
        if len(parts[-1]) + len(character) > several:
            parts.append("")
        parts[-1] += character
    return len(parts)
