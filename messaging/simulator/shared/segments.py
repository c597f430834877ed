"""Counts the SMS of a text as the simulated providers do (3GPP TS 23.038 and 23.040).

Independent of the gateway's own count, so that each checks the other.
"""

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("^{}\\[~]|€\f")


def segments(body: str) -> int:
    """Return the number of SMS of a body: GSM-7 160 or 153 characters each, UCS-2 70 or 67 each."""
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
