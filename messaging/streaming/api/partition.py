"""Which instance of the next stage a record goes to, and which instances are wired to each other at all."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import count
from typing import Any, Protocol
from zlib import crc32

from messaging.streaming.api.keys import CACHED_KEYS, Key, group_of, owner_of, token_of

Choose = Callable[[Any], Sequence[int]]
"""Returns the numbers of the instances that get a record."""


@dataclass(frozen=True, slots=True)
class Ends:
    """One sending instance: which of how many it is, and how many instances receive."""

    sender: int
    senders: int
    receivers: int

    @property
    def everyone(self) -> range:
        """All receivers."""
        return range(self.receivers)


class Partition(Protocol):
    """Wires one emitting instance to receiving ones, and makes the function that chooses among them."""

    @property
    def label(self) -> str:
        """How the edge is called in a printed graph."""

    def wired(self, ends: Ends) -> Sequence[int]:
        """Return the instances that the sender has a channel to."""

    def chooser(self, ends: Ends) -> Choose:
        """Return the choice that the sender makes for each record."""


@dataclass(frozen=True, slots=True)
class Forward:
    """Instance i sends to instance i mod n."""

    label: str = "forward"

    def wired(self, ends: Ends) -> Sequence[int]:
        """See Partition."""
        return (ends.sender % ends.receivers,)

    def chooser(self, ends: Ends) -> Choose:
        """See Partition."""
        target = self.wired(ends)
        return lambda record: target


@dataclass(frozen=True, slots=True)
class Rescale:
    """Neighbours only, in turn: 2 to 4 is (0,0) (0,1) (1,2) (1,3), and 4 to 2 is (0,0) (1,0) (2,1) (3,1)."""

    label: str = "rescale"

    def wired(self, ends: Ends) -> Sequence[int]:
        """See Partition."""
        first = ends.sender * ends.receivers // ends.senders
        end = (ends.sender + 1) * ends.receivers // ends.senders
        return range(first, max(end, first + 1))

    def chooser(self, ends: Ends) -> Choose:
        """See Partition."""
        return _in_turn(self.wired(ends), 0)


@dataclass(frozen=True, slots=True)
class RoundRobin:
    """Each instance deals its records out in turn."""

    label: str = "round robin"

    def wired(self, ends: Ends) -> Sequence[int]:
        """See Partition."""
        return ends.everyone

    def chooser(self, ends: Ends) -> Choose:
        """See Partition."""
        return _in_turn(ends.everyone, ends.sender)


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Every instance gets every record."""

    label: str = "broadcast"

    def wired(self, ends: Ends) -> Sequence[int]:
        """See Partition."""
        return ends.everyone

    def chooser(self, ends: Ends) -> Choose:
        """See Partition."""
        everyone = tuple(ends.everyone)
        return lambda record: everyone


@dataclass(frozen=True, slots=True)
class Shuffle:
    """By a hash of the whole record: equal records meet."""

    label: str = "shuffle"

    def wired(self, ends: Ends) -> Sequence[int]:
        """See Partition."""
        return ends.everyone

    def chooser(self, ends: Ends) -> Choose:
        """See Partition."""
        receivers = ends.receivers
        return lambda record: (crc32(repr(record).encode("utf-8", "replace")) % receivers,)


@dataclass(frozen=True, slots=True)
class ByKey:
    """Records with the same key go to the same instance: the one that keeps the key's group."""

    key: Callable[[Any], Key]
    label: str = "by key"

    def wired(self, ends: Ends) -> Sequence[int]:
        """See Partition."""
        return ends.everyone

    def chooser(self, ends: Ends) -> Choose:
        """See Partition."""
        key, receivers = self.key, ends.receivers
        home = lru_cache(CACHED_KEYS)(partial(_home, receivers))
        return lambda record: home(key(record))


@dataclass(frozen=True, slots=True)
class Custom:
    """As a function of the user's says: `function(record, n)` is a number below n, or several."""

    function: Callable[[Any, int], int | Iterable[int]]
    label: str = field(default="custom")

    def wired(self, ends: Ends) -> Sequence[int]:
        """See Partition."""
        return ends.everyone

    def chooser(self, ends: Ends) -> Choose:
        """See Partition."""
        return lambda record: _checked(self.function(record, ends.receivers), ends.receivers)


def _home(receivers: int, key: Key) -> Sequence[int]:
    return (owner_of(group_of(token_of(key)), receivers),)


def _in_turn(targets: Sequence[int], first: int) -> Choose:
    turn = count(first)
    return lambda record: (targets[next(turn) % len(targets)],)


def _checked(chosen: int | Iterable[int], receivers: int) -> Sequence[int]:
    targets = (chosen,) if isinstance(chosen, int) else tuple(chosen)
    if any(not 0 <= target < receivers for target in targets):
        raise ValueError(f"the partition chose {targets} of {receivers} instances")
    return targets
