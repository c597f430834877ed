"""The size of one packet, and its measures. Pure."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` units, as `size` counts them."""

    most: int
    size: Callable[[str], int]


def utf8_bytes(text: str) -> int:
    """Return the size of a text for providers that carry bytes."""
    return len(text.encode("utf-8", "replace"))


def utf16_units(text: str) -> int:
    """Return the size of a text for providers that count characters; those beyond U+FFFF, such as emoji, count two."""
    return len(text) + sum(character > "\uffff" for character in text)
