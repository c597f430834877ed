"""Keys: their identity, and the one of 128 groups that each belongs to. The same in every process, always."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache, lru_cache
from operator import attrgetter, itemgetter
from typing import Any
from zlib import crc32

Key = Hashable
"""Text, bytes, numbers, None, enumerations, frozen dataclasses, and tuples of these."""

CACHED_KEYS = 2**16
KEY_GROUPS = 128
"""State moves between instances in groups, so that a savepoint can start with another parallelism."""

Selector = Callable[[Any], Any] | int | str


@lru_cache(maxsize=CACHED_KEYS)
def token_of(key: Key) -> bytes:
    """Return the name under which the key is stored; equal keys have equal tokens.

    Raises TypeError for an object whose text changes between processes, and for one that cannot be hashed.
    """
    return repr(_plain(key)).encode("utf-8", "surrogatepass")


def stable_hash(key: Key) -> int:
    """Return a number that depends on the key alone. Python's own `hash` differs between processes for text."""
    return crc32(token_of(key))


def group_of(token: bytes) -> int:
    """Return the number, below KEY_GROUPS, of the group that a key's token belongs to."""
    return crc32(token) % KEY_GROUPS


def owner_of(group: int, parallelism: int) -> int:
    """Return which of `parallelism` instances owns the group."""
    return group * parallelism // KEY_GROUPS


def selector_function(selector: Selector) -> Callable[[Any], Any]:
    """Return the function of a selector: a function, the index of an item, or the name of an attribute."""
    if isinstance(selector, int):
        return itemgetter(selector)
    if isinstance(selector, str):
        return attrgetter(selector)
    return selector


def _plain(key: Key) -> Key:
    """The same key, with numbers that are equal written alike: 1, 1.0 and True."""
    if isinstance(key, tuple):
        return tuple(map(_plain, key))
    if type(key) is bool or (isinstance(key, float) and key.is_integer()):
        return int(key)
    if not _has_own_text(type(key)):
        raise TypeError(f"{type(key).__name__} cannot be a key: it has no text of its own")
    return key


@cache
def _has_own_text(kind: type) -> bool:
    plain: object = object.__repr__
    return kind.__repr__ is not plain
