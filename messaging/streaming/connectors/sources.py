"""Sources that are read by position, and so can be resumed: values, and the lines of a text file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from messaging.streaming.api.stage import Instance


class Values:
    """Given values, split between the instances: instance i of n reads every n-th one, from number i."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values
        self._share = values

    def __call__(self) -> Values:
        """Make one for an instance."""
        return Values(self._values)

    def open(self, instance: Instance) -> None:
        """Select the share of this instance."""
        self._share = self._values[instance.index :: instance.parallelism]

    def read(self, position: int | None, count: int) -> tuple[Sequence[Any], int] | None:
        """See PositionedSource. The position is a number of values."""
        start = position or 0
        records = self._share[start : start + count]
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
        """Measure the part of this instance. Raises OSError."""
        size = os.path.getsize(self._path)
        self._begin = size * instance.index // instance.parallelism
        self._end = size * (instance.index + 1) // instance.parallelism

    def read(self, position: int | None, count: int) -> tuple[Sequence[str], int] | None:
        """See PositionedSource. The position is an offset in bytes. Raises OSError."""
        with open(self._path, "rb") as file:
            at = position
            if at is None:
                at = self._begin
                if at:
                    # A line that began before this part belongs to the part before.
                    file.seek(at - 1)
                    file.readline()
                    at = file.tell()
            file.seek(at)
            lines: list[str] = []
            while len(lines) < count and at < self._end and (line := file.readline()):
                at += len(line)
                lines.append(line.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r"))
        return (lines, at) if lines else None
