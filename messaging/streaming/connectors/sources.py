"""Sources that are read from a position, and so can be resumed: values, and the lines of a text file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Protocol

from messaging.streaming.api.graph import Instance


class Source(Protocol):
    """Read by position. One that has `open(context)` is told which of how many instances it is.

    `idle_seconds`, if it has that, is how long it is left alone after it had nothing.
    """

    def read(self, position: Any, count: int) -> tuple[Sequence[Any], Any] | None:
        """Return about `count` records after the position, and the new position; None at the end.

        The position None is the beginning. No records means: none now, ask again.
        """


class Values:
    """Given values, split between the instances: instance i of n reads every n-th one, from number i."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values
        self._mine = values

    def __call__(self) -> Values:
        """Make one for an instance."""
        return Values(self._values)

    def open(self, instance: Instance) -> None:
        """See Source."""
        self._mine = self._values[instance.index :: instance.parallelism]

    def read(self, position: int | None, count: int) -> tuple[Sequence[Any], int] | None:
        """See Source."""
        start = position or 0
        records = self._mine[start : start + count]
        return (records, start + len(records)) if records else None


class TextFile:
    """The lines of a UTF-8 file, without their ends. Each instance reads the lines that begin in its part of it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._begin = 0
        self._end = 0

    def __call__(self) -> TextFile:
        """Make one for an instance."""
        return TextFile(self._path)

    def open(self, instance: Instance) -> None:
        """See Source. Raises OSError."""
        size = os.path.getsize(self._path)
        self._begin = size * instance.index // instance.parallelism
        self._end = size * (instance.index + 1) // instance.parallelism

    def read(self, position: int | None, count: int) -> tuple[Sequence[str], int] | None:
        """See Source. The position is an offset in bytes. Raises OSError."""
        with open(self._path, "rb") as file:
            at = self._first(file) if position is None else position
            file.seek(at)
            lines: list[str] = []
            while len(lines) < count and at < self._end and (line := file.readline()):
                at += len(line)
                lines.append(line.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r"))
        return (lines, at) if lines else None

    def _first(self, file: Any) -> int:
        """The first line that begins in this part; one that began before belongs to the part before."""
        if self._begin:
            file.seek(self._begin - 1)
            file.readline()
        return int(file.tell())
