"""Makes stored texts and bytes safe to print: no control character reaches a terminal. Pure."""

from typing import Final

_LAYOUT: Final = frozenset("\n\t")


def printable(text: str) -> str:
    """Return the text with every control and every invisible character escaped, such as `\\x1b`."""
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n")
    return "".join(one if one.isprintable() or one in _LAYOUT else _escape(one) for one in text)


def readable(raw: bytes) -> str:
    """Return the bytes as text where they are UTF-8, and every other byte escaped."""
    return printable(raw.decode("utf-8", "backslashreplace"))


def _escape(character: str) -> str:
    # Blanks of other scripts and joiners of emoji are no danger, and belong to the text.
    if character.isspace() and ord(character) > 0x9F and character not in "\u2028\u2029":
        return character
    if character in "\u200c\u200d":
        return character
    return character.encode("unicode_escape").decode("ascii")
