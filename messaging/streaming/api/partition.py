"""Keys and partitions: the instance that owns a key, the channels between instances, the receivers of a record."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from operator import attrgetter, itemgetter
from typing import Any, Protocol
from zlib import crc32

Key = Hashable
"""Text, bytes, numbers, None, enumerations, frozen dataclasses, and tuples of these."""

CACHED_KEYS = 2**16
KEY_GROUPS = 128
"""State moves between instances in groups, so that a savepoint can start with another parallelism."""

Selector = Callable[[Any], Any] | int | str


@lru_cache(maxsize=CACHED_KEYS)
def token_of(key: Key) -> bytes:
    """Return the name under which the key is stored: equal keys have equal tokens, in every process.

    Raises TypeError for an object whose text changes between processes, and for one that cannot be hashed.
    """
    return repr(_plain(key)).encode("utf-8", "surrogatepass")


def group_of(token: bytes) -> int:
    """Return the number, below KEY_GROUPS, of the group that a key's token belongs to."""
    return crc32(token) % KEY_GROUPS


def owner_of_group(group: int, parallelism: int) -> int:
    """Return which of `parallelism` instances owns the group."""
    return group * parallelism // KEY_GROUPS


def owner_of(token: bytes, parallelism: int) -> int:
    """Return which of `parallelism` instances owns a key's token: the owner of its group."""
    return crc32(token) % KEY_GROUPS * parallelism // KEY_GROUPS


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
    if type(key).__repr__ is object.__repr__:
        raise TypeError(f"{type(key).__name__} cannot be a key: it has no text of its own")
    return key


Choose = Callable[[Any], Sequence[int]]
"""Returns the numbers of the instances that get a record."""


@dataclass(frozen=True, slots=True)
class Ends:
    """One sending instance: its number, the number of senders, and the number of receivers."""

    sender: int
    senders: int
    receivers: int

    @property
    def all_receivers(self) -> range:
        """All receivers."""
        return range(self.receivers)


class Partition(Protocol):
    """Wires one emitting instance to receiving ones, and makes the function that chooses among them."""

    @property
    def label(self) -> str:
        """The name of the edge in a printed graph."""

    def channels(self, ends: Ends) -> Sequence[int]:
        """Return the instances that the sender has a channel to."""

    def chooser(self, ends: Ends) -> Choose:
        """Return the choice that the sender makes for each record."""


@dataclass(frozen=True, slots=True)
class Forward:
    """Instance i sends to instance i mod n."""

    label: str = "forward"

    def channels(self, ends: Ends) -> Sequence[int]:
        """See Partition."""
        return (ends.sender % ends.receivers,)

    def chooser(self, ends: Ends) -> Choose:
        """See Partition."""
        target = self.channels(ends)
        return lambda record: target


@dataclass(frozen=True, slots=True)
class Rescale:
    """Neighbours only, in turn: 2 to 4 is (0,0) (0,1) (1,2) (1,3), and 4 to 2 is (0,0) (1,0) (2,1) (3,1)."""

    label: str = "rescale"

    def channels(self, ends: Ends) -> Sequence[int]:
        """See Partition."""
        first = ends.sender * ends.receivers // ends.senders
        end = (ends.sender + 1) * ends.receivers // ends.senders
        return range(first, max(end, first + 1))

    def chooser(self, ends: Ends) -> Choose:
        """See Partition."""
        return _in_turn(self.channels(ends), 0)


@dataclass(frozen=True, slots=True)
class RoundRobin:
    """Each instance deals its records out in turn."""

    label: str = "round robin"

    def channels(self, ends: Ends) -> Sequence[int]:
        """See Partition."""
        return ends.all_receivers

    def chooser(self, ends: Ends) -> Choose:
        """See Partition."""
        return _in_turn(ends.all_receivers, ends.sender)


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Every instance gets every record."""

    label: str = "broadcast"

    def channels(self, ends: Ends) -> Sequence[int]:
        """See Partition."""
        return ends.all_receivers

    def chooser(self, ends: Ends) -> Choose:
        """See Partition."""
        all_receivers = tuple(ends.all_receivers)
        return lambda record: all_receivers


@dataclass(frozen=True, slots=True)
class Shuffle:
    """By a hash of the whole record: equal records meet."""

    label: str = "shuffle"

    def channels(self, ends: Ends) -> Sequence[int]:
        """See Partition."""
        return ends.all_receivers

    def chooser(self, ends: Ends) -> Choose:
        """See Partition."""
        receivers = ends.receivers
        return lambda record: (crc32(repr(record).encode("utf-8", "replace")) % receivers,)


@dataclass(frozen=True, slots=True)
class ByKey:
    """Records with the same key go to the same instance, which owns the key's group."""

    key: Callable[[Any], Key]
    label: str = "by key"

    def channels(self, ends: Ends) -> Sequence[int]:
        """See Partition."""
        return ends.all_receivers

    def chooser(self, ends: Ends) -> Choose:
        """See Partition."""
        key, receivers = self.key, ends.receivers
        owners = lru_cache(CACHED_KEYS)(lambda value: (owner_of(token_of(value), receivers),))
        return lambda record: owners(key(record))


@dataclass(frozen=True, slots=True)
class Custom:
    """By a function of the user's: `function(record, n)` is a number below n, or several."""

    function: Callable[[Any, int], int | Iterable[int]]
    label: str = field(default="custom")

    def channels(self, ends: Ends) -> Sequence[int]:
        """See Partition."""
        return ends.all_receivers

    def chooser(self, ends: Ends) -> Choose:
        """See Partition."""
        function, receivers = self.function, ends.receivers

        def choose(record: Any) -> Sequence[int]:
            chosen = function(record, receivers)
            targets = (chosen,) if isinstance(chosen, int) else tuple(chosen)
            if any(not 0 <= target < receivers for target in targets):
                raise ValueError(f"the partition chose {targets} of {receivers} instances")
            return targets

        return choose


def _in_turn(targets: Sequence[int], first: int) -> Choose:
    turn = count(first)
    return lambda record: (targets[next(turn) % len(targets)],)
