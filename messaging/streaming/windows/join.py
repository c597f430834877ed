"""Joins of two keyed streams: what both kinds share, and the one that is not cut by time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.keys import Key, Selector
from messaging.streaming.api.logical import declared_at
from messaging.streaming.stateful.steps import OfKey

if TYPE_CHECKING:
    from messaging.streaming.api.stream import DataStream

Sided = tuple[Key, int, Any]
"""The key of a record, its side (0 is left, 1 is right), and the record."""


@dataclass(frozen=True, slots=True)
class Join:
    """Two streams that are being joined; `where` and `equal_to` key them, if they are not keyed yet."""

    left: DataStream[Any]
    right: DataStream[Any]
    keep: int | None = None

    def where(self, key: Selector) -> Join:
        """Say what the key of a left record is."""
        return replace(self, left=self.left.key_by(key))

    def equal_to(self, key: Selector) -> Join:
        """Say what the key of a right record is."""
        return replace(self, right=self.right.key_by(key))

    def with_(self, function: Callable[[Any, Any], Any], name: str = "") -> DataStream[Any]:
        """Give `function(left, right)` for each pair with one key. Raises DeclarationError for a side without a key."""
        if self.keep is not None and self.keep < 1:
            raise DeclarationError(
                f"join at {declared_at()} keeps {self.keep} records: {self.left.names()}"
            )
        self.left.checked("join", function)
        both = side_by_side(self.left, self.right, "join")
        return both.with_state("join", partial(Joined, function=function, keep=self.keep), name)


def side_by_side(left: DataStream[Any], right: DataStream[Any], verb: str) -> DataStream[Sided]:
    """Bring two keyed streams together in one, by key. Raises DeclarationError for one without a key."""
    lefts, rights = (
        stream.divided(None).map(partial(_sided, stream.key_for(verb), side))
        for side, stream in enumerate((left, right))
    )
    return lefts.union(rights).key_by(0)


class Joined(OfKey):
    """A step: remembers by key what came from each side; a new record meets what has come from the other one.

    `keep` bounds how many records of each side and key are remembered: the newest.
    """

    def __init__(
        self, key: Callable[[Any], Key], function: Callable[[Any, Any], Any], keep: int | None
    ) -> None:
        super().__init__(key, function)
        self._kept = slice(None if keep is None else -keep, None)

    def process(self, record: Sided) -> Iterable[Any]:
        """See Step."""
        key, side, new = record
        lefts, rights = self._state.get(key, ((), ()))
        if side:
            outputs = [self._function(left, new) for left in lefts]
            rights = (*rights, new)[self._kept]
        else:
            outputs = [self._function(new, right) for right in rights]
            lefts = (*lefts, new)[self._kept]
        self._state[key] = lefts, rights
        return outputs


def _sided(key: Callable[[Any], Key], side: int, record: Any) -> Sided:
    return key(record), side, record
