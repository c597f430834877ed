"""The declared dataflow as a value: stages, the edges between them, and how records are handed over on each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.partition import Partition

Transform = Callable[[Any], Iterable[Any]]
"""What a map, a filter or a flat_map does to one record on its way along an edge."""


class Kind(StrEnum):
    """What runs a stage."""

    SOURCE = "source"  # an actor whose operator brings records in by itself
    INLET = "inlet"  # fed by processes outside the job, such as the replicas of a web server
    OPERATOR = "operator"  # an actor that is given batches of records
    FUNCTION = "function"  # a remote function without state, called once for a batch
    READER = (
        "reader"  # an actor that reads a source from a position, which is kept with what was read
    )
    KEEPER = "keeper"  # an actor that commits what it did with a batch before it acknowledges it

    @property
    def keeps(self) -> bool:
        """Whether its instances work by `commit, acknowledge, emit, forget`; see `keeper`."""
        return self in (Kind.READER, Kind.KEEPER)

    @property
    def has_actors(self) -> bool:
        """Whether its instances are actors of the job."""
        return self not in (Kind.INLET, Kind.FUNCTION)


class Handover(StrEnum):
    """What the receiving stage of an edge asks of the one that emits.

    ASK     A worker that is lost is tried again; a refusal travels back to whoever emitted the record.
    INSIST  A worker that is lost is tried again, and so is a refused record, until it is taken.
    ONCE    Nothing is tried again: the receiver acts on the outside world, and who owns the record
            (by a lease, say) decides about another attempt. A refusal is only logged.
    """

    REQUEST = "ask"
    AT_LEAST_ONCE = "insist"
    AT_MOST_ONCE = "once"


@dataclass(frozen=True, slots=True)
class Instance:
    """The context that an operator is opened with: which of how many instances of its stage it is, and the settings.

    `config` is the stream's (`with_config`), `job_config` the job's (`Builder.option`).
    """

    index: int = 0
    parallelism: int = 1
    stage: str = ""
    config: Mapping[str, str] = field(default_factory=dict)
    job_config: Mapping[str, str] = field(default_factory=dict)

    # Ray Streaming's names for these, which function objects that were written for it call in `open`.

    def get_task_id(self) -> str:
        """Return the name of this instance within its job."""
        return f"{self.stage}/{self.index}"

    def get_task_index(self) -> int:
        """Return which instance of its stage it is, from 0."""
        return self.index

    def get_parallelism(self) -> int:
        """Return how many instances its stage has."""
        return self.parallelism

    def get_config(self) -> Mapping[str, str]:
        """Return the settings of the stream."""
        return self.config

    def get_job_config(self) -> Mapping[str, str]:
        """Return the settings of the job."""
        return self.job_config


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of the dataflow, run by `parallelism` instances.

    `make` builds the operator inside the process that runs it (for a FUNCTION it is the function itself).
    A `durable` stage keeps by its own means what it has taken: it acknowledges a batch when its operator has returned,
    and acknowledgement stops there. A stage that is not durable acknowledges when the next stages have.
    `senders` names the instances that feed it. `cpus` and `resources` are what each instance, or each call of a
    function, asks of its node. Records that are `first` do not wait for the others.
    """

    name: str
    kind: Kind
    make: Callable[..., Any] | None
    parallelism: int = 1
    durable: bool = False
    handover: Handover = Handover.REQUEST
    max_batch: int = 256
    cpus: float = 0.0
    resources: Mapping[str, float] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)
    senders: tuple[str, ...] = ()
    first: Callable[[Any], bool] | None = None

    @property
    def demand(self) -> Mapping[str, float]:
        """All that each instance asks of its node, by Ray's names."""
        return {**self.resources, "CPU": self.cpus} if self.cpus else dict(self.resources)

    def asking(self, resource: str, amount: float) -> Stage:
        """Return the stage with so much of the resource, which may be `CPU`, asked for."""
        if resource == "CPU":
            return replace(self, cpus=amount)
        return replace(self, resources={**self.resources, resource: amount})

    def build(self) -> Any:
        """Return a new operator. Raises LookupError for a stage whose operator belongs to another process."""
        return self.function()

    @property
    def function(self) -> Callable[..., Any]:
        """What makes the operator, or the function of a FUNCTION stage. Raises LookupError, as `build` does."""
        if self.make is None:
            raise LookupError(f"the operator of stage {self.name!r} is not known here")
        return self.make


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
    """A whole dataflow. Knows nothing of where it runs."""

    stages: tuple[Stage, ...]
    edges: tuple[Edge, ...]
    options: Mapping[str, str] = field(default_factory=dict)

    def stage(self, name: str) -> Stage:
        """Return the stage of that name. Raises KeyError."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

    def outgoing(self, name: str) -> tuple[Edge, ...]:
        """The edges that leave a stage."""
        return tuple(edge for edge in self.edges if edge.upstream == name)

    def upstream_first(self) -> list[Stage]:
        """All stages, each one after every stage that feeds it. Raises DeclarationError for a cycle."""
        ordered: list[Stage] = []
        waiting = list(self.stages)
        while waiting:
            names = {stage.name for stage in waiting}
            ready = [s for s in waiting if not any(e.upstream in names for e in self._incoming(s))]
            if not ready:
                raise DeclarationError(f"these stages feed each other: {', '.join(sorted(names))}")
            ordered += ready
            waiting = [stage for stage in waiting if stage not in ready]
        return ordered

    def seen_from(self, name: str) -> Graph:
        """The part of the graph that an instance of `name` needs: itself, what it feeds, and nobody else's operator.

        A function runs in the name of whoever feeds it, so it is kept with what it feeds in turn. Operators of
        other stages are left out: they hold settings, and secrets among them, that are not this stage's business.
        """
        reach = [name]
        for reached in reach:
            if reached == name or self.stage(reached).kind is Kind.FUNCTION:
                fed = (e.downstream for e in self.outgoing(reached) if not e.ends)
                reach += [name for name in fed if name not in reach]
        stages = (self._bare(stage, name) for stage in self.stages if stage.name in reach)
        edges = (e for e in self.edges if self._emits(e.upstream, name, reach))
        return Graph(tuple(stages), tuple(edges), self.options)

    def _emits(self, upstream: str, name: str, reach: list[str]) -> bool:
        return upstream in reach and (
            upstream == name or self.stage(upstream).kind is Kind.FUNCTION
        )

    def instance(self, stage: Stage, index: int) -> Instance:
        """Return the context of one instance."""
        return Instance(index, stage.parallelism, stage.name, stage.config, self.options)

    def _incoming(self, stage: Stage) -> Iterator[Edge]:
        return (edge for edge in self.edges if edge.downstream == stage.name)

    @staticmethod
    def _bare(stage: Stage, owner: str) -> Stage:
        if stage.name == owner or stage.kind is Kind.FUNCTION:
            return stage
        return replace(stage, make=None)

    def __str__(self) -> str:
        from messaging.streaming.viz.drawing import text_of  # which knows graphs

        return text_of(self)
