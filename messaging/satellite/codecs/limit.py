"""How much one packet of a network may hold, and how that is measured. Pure."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` of what `size` measures a text in."""

    most: int
    size: Callable[[str], int]


def utf8_bytes(text: str) -> int:
    """Measure a text as networks do that carry bytes."""
    return len(text.encode("utf-8", "replace"))


def utf16_units(text: str) -> int:
    """Measure a text as networks do that count characters: those beyond U+FFFF, such as most emoji, count two."""
    return len(text) + sum(character > "\uffff" for character in text)
