"""Which instance of the next stage a record goes to. Stable: the same in every process and after every restart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol
from zlib import crc32

Key = str | bytes | int | None | tuple["Key", ...]
Choose = Callable[[Any], Sequence[int]]


def stable_hash(key: Key) -> int:
    """Return a number that depends on the key alone. Python's own `hash` differs between processes for text."""
    return crc32(repr(key).encode("utf-8", "surrogatepass"))


class Partition(Protocol):
    """Makes, for one emitting instance, the function that chooses the receiving instances of a record."""

    @property
    def label(self) -> str:
        """How the edge is called in a printed graph."""

    def chooser(self, sender: int, receivers: int) -> Choose:
        """Return the choice for the instance number `sender`, among `receivers` instances."""


@dataclass(frozen=True, slots=True)
class Forward:
    """Instance i sends to instance i mod n."""

    label: str = "forward"

    def chooser(self, sender: int, receivers: int) -> Choose:
        """See Partition."""
        target = (sender % receivers,)
        return lambda record: target


@dataclass(frozen=True, slots=True)
class RoundRobin:
    """Each instance deals its records out in turn."""

    label: str = "round robin"

    def chooser(self, sender: int, receivers: int) -> Choose:
        """See Partition."""
        turn = count(sender)
        return lambda record: (next(turn) % receivers,)


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Every instance gets every record."""

    label: str = "broadcast"

    def chooser(self, sender: int, receivers: int) -> Choose:
        """See Partition."""
        everyone = tuple(range(receivers))
        return lambda record: everyone


@dataclass(frozen=True, slots=True)
class ByKey:
    """Records with the same key go to the same instance."""

    key: Callable[[Any], Key]
    label: str = "by key"

    def chooser(self, sender: int, receivers: int) -> Choose:
        """See Partition."""
        return lambda record: (stable_hash(self.key(record)) % receivers,)
