"""A savepoint: the state of a whole job in one file, from which it can start with another parallelism."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.graph import Graph
from messaging.streaming.api.partition import owner_of_group
from messaging.streaming.api.stage import Stage, StageKind
from messaging.streaming.stateful.batches import Head
from messaging.streaming.stateful.state.store_protocol import Changes, Name, Store

_SCHEMA = "CREATE TABLE saved (stage TEXT, kind TEXT, name BLOB, value BLOB)"
_READ = "SELECT name, value FROM saved WHERE stage = ? AND kind = ? ORDER BY name"


@dataclass(frozen=True, slots=True)
class StageState:
    """The state of all instances of a stage by key group, and the head of each instance."""

    stage: str
    entries: list[tuple[bytes, bytes]]
    heads: list[Head]

    def rows(self) -> Iterator[tuple[str, str, bytes, bytes]]:
        """Return the rows of the file."""
        for name, value in self.entries:
            yield self.stage, "state", name, value
        for index, head in enumerate(self.heads):
            yield self.stage, "head", index.to_bytes(4, "big"), head.to_bytes()


def write_savepoint(path: Path, states: Iterable[StageState]) -> None:
    """Write the file: whole or not at all. Raises OSError."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(unfinished)) as file:
        file.execute(_SCHEMA)
        for state in states:
            file.executemany("INSERT INTO saved VALUES (?, ?, ?, ?)", state.rows())
        file.commit()
    os.replace(unfinished, path)


def restore(path: Path, graph: Graph, stores: Iterable[tuple[Stage, int, Store]]) -> None:
    """Fill the stores of a job that is about to start, in place of their contents.

    State goes to the instance that owns its key group now. Raises DeclarationError when there is no such file, or
    when a source has another parallelism than when it was saved: only state by key can be divided anew.
    """
    if not path.is_file():
        raise DeclarationError(f"there is no savepoint {path}")
    with closing(sqlite3.connect(path)) as file:
        for stage, index, store in stores:
            store.write(dict.fromkeys(name for name, _ in store.load()))
            store.write(_changes(file, stage, index))
            store.close()


def _changes(file: sqlite3.Connection, stage: Stage, index: int) -> Changes:
    changes: dict[Name, bytes | None] = {
        ("state", name): value
        for name, value in file.execute(_READ, (stage.name, "state"))
        if owner_of_group(name[0], stage.parallelism) == index
    }
    if heads := [Head.from_bytes(data) for _, data in file.execute(_READ, (stage.name, "head"))]:
        changes["head", b""] = _head(stage, index, heads).to_bytes()
    return changes


def _head(stage: Stage, index: int, heads: list[Head]) -> Head:
    """Return the head to begin with. Channels begin anew; the source's position and the event time go on."""
    if stage.kind is not StageKind.READER:
        return Head(watermark=min(head.watermark for head in heads))
    if len(heads) != stage.parallelism:
        raise DeclarationError(
            f"source {stage.name!r} was saved with parallelism {len(heads)}, not {stage.parallelism}"
        )
    return Head(source=heads[index].source, clocks=heads[index].clocks)
