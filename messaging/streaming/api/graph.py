"""The declared dataflow as a value: stages and the edges between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.functions import Transform
from messaging.streaming.api.partition import Ends, Partition
from messaging.streaming.api.stage import Instance, Stage, StageKind

Row = Mapping[str, Any]
"""The status of one instance."""


@dataclass(frozen=True, slots=True)
class JobName:
    """A job in a namespace. Every process uses the same two words, wherever it runs."""

    job: str
    namespace: str = "satbridge"

    def of(self, stage: str, index: int) -> str:
        """Return the actor name of one instance."""
        return f"{self.job}/{stage}/{index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """From one stage to another: transforms applied where the record is emitted, then the choice of the instance.

    Without a `downstream` the last transform is the end of the branch. `time` reads the event time of a record.
    """

    upstream: str
    downstream: str
    partition: Partition
    transforms: tuple[Transform, ...] = ()
    label: str = ""
    time: Callable[[Any], float] | None = None

    @property
    def ends(self) -> bool:
        """Whether it leads to no other stage."""
        return not self.downstream


@dataclass(frozen=True, slots=True)
class Graph:
    """A whole dataflow. Knows nothing of the process that runs it."""

    stages: tuple[Stage, ...]
    edges: tuple[Edge, ...]
    options: Mapping[str, str] = field(default_factory=dict)

    def stage(self, name: str) -> Stage:
        """Return the stage of that name. Raises KeyError."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

    def instance(self, stage: Stage, index: int) -> Instance:
        """Return the context of one instance."""
        return Instance(index, stage.parallelism, stage.name, stage.config, self.options)

    def outgoing(self, name: str) -> tuple[Edge, ...]:
        """Return the edges that leave a stage."""
        return tuple(edge for edge in self.edges if edge.upstream == name)

    def channels(self, edge: Edge) -> list[tuple[int, int]]:
        """Return the pairs of a sending and a receiving instance that the edge connects."""
        senders = self.stage(edge.upstream).parallelism
        receivers = self.stage(edge.downstream).parallelism
        return [
            (sender, receiver)
            for sender in range(senders)
            for receiver in edge.partition.channels(Ends(sender, senders, receivers))
        ]

    def upstream_first(self) -> list[Stage]:
        """Return all stages, each one after every stage that feeds it. Raises DeclarationError for a cycle."""
        ordered: list[Stage] = []
        waiting = list(self.stages)
        while waiting:
            names = {stage.name for stage in waiting}
            fed = {edge.downstream for edge in self.edges if edge.upstream in names}
            ready = [stage for stage in waiting if stage.name not in fed]
            if not ready:
                raise DeclarationError(f"these stages feed each other: {', '.join(sorted(names))}")
            ordered += ready
            waiting = [stage for stage in waiting if stage not in ready]
        return ordered

    def view_for(self, *names: str) -> Graph:
        """Return the part of the graph that instances of `names` need: themselves, the stages they feed, their edges.

        A function runs in the process of its sender, so it is included with the stages that it feeds in turn.
        Operators of other stages are left out: they hold settings, and secrets among them, of those stages only.
        """
        senders = list(names)
        reach = list(names)
        for sender in senders:
            for edge in self.outgoing(sender):
                if edge.ends or edge.downstream in reach:
                    continue
                reach.append(edge.downstream)
                if self.stage(edge.downstream).kind is StageKind.FUNCTION:
                    senders.append(edge.downstream)
        stages = (
            stage if stage.name in senders else replace(stage, make=None)
            for stage in self.stages
            if stage.name in reach
        )
        edges = (edge for edge in self.edges if edge.upstream in senders)
        return Graph(tuple(stages), tuple(edges), self.options)

    def text(self, rows: Iterable[Row] = ()) -> str:
        """Return the physical graph as text: actors, remote functions, and how records travel between them.

        With `rows`, a job's status, every instance has a line with its activity.
        """
        return "\n".join(self._lines({str(row["name"]): row for row in rows}))

    def __str__(self) -> str:
        return self.text()

    def _lines(self, rows: Mapping[str, Row]) -> Iterator[str]:
        for stage in self.upstream_first():
            marks = [stage.kind.value, f"x{stage.parallelism}"] + ["durable"] * stage.durable
            marks += [f"asks for {amount:g} {name}" for name, amount in stage.demand.items()]
            yield f"{stage.name}  ({', '.join(marks)})"
            for name in stage.instances:
                if name in rows:
                    yield f"  {name}: {', '.join(activity(rows[name]))}"
            for edge in self.outgoing(stage.name):
                if edge.ends:
                    yield f"  └─► end of the branch  [{edge.label}]"
                    continue
                receiver = self.stage(edge.downstream)
                answers = "" if receiver.kind.is_stateful else receiver.handover.value
                how = "; ".join(filter(None, (edge.partition.label, edge.label, answers)))
                yield f"  └─► {edge.downstream}  [{how}]"


def activity(row: Row) -> list[str]:
    """Return the figures of one instance in a few short lines: records, rates, waiting batches and failures."""
    if row.get("lost"):
        return ["does not answer"]
    lines = [
        f"{way} {row.get(way, 0):,} ({row.get(f'{way}_per_second', 0):,.0f}/s)"
        for way in ("in", "out")
    ]
    troubles = {"lag": "batches wait", "set_aside": "set aside", "restarts": "restarts"}
    return lines + [f"{row[key]} {words}" for key, words in troubles.items() if row.get(key)]
