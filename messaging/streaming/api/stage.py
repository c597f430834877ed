"""One step of a dataflow as a value: its kind, its operator, and how records are handed over to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class StageKind(StrEnum):
    """The way in which a stage runs."""

    SOURCE = "source"  # an actor whose operator brings records in by itself
    INLET = "inlet"  # fed by processes outside the job, such as the replicas of a web server
    OPERATOR = "operator"  # an actor that is given batches of records
    FUNCTION = "function"  # a remote function without state, called once for a batch
    READER = "reader"  # an actor that reads a source, and commits the position with the records
    STATEFUL = "stateful"  # an actor that commits a batch's effects before it acknowledges it

    @property
    def is_stateful(self) -> bool:
        """Whether its instances work by `commit, acknowledge, emit, forget`; see `stateful.task`."""
        return self in (StageKind.READER, StageKind.STATEFUL)

    @property
    def has_actors(self) -> bool:
        """Whether its instances are actors of the job."""
        return self not in (StageKind.INLET, StageKind.FUNCTION)


class Handover(StrEnum):
    """How a sender treats a batch when the receiving stage is lost or refuses a record.

    REQUEST        The batch is sent again after a loss; a refusal travels back to the emitter of the record.
    AT_LEAST_ONCE  The batch is sent again after a loss, and a refused record is sent again until it is taken.
    AT_MOST_ONCE   The batch is never sent again: the receiver acts on the outside world, and the owner of the record
                   (by a lease, say) decides about another attempt. A refusal is only logged.
    """

    REQUEST = "request"
    AT_LEAST_ONCE = "at least once"
    AT_MOST_ONCE = "at most once"

    # The older names, which programs of users have.
    ASK = REQUEST
    INSIST = AT_LEAST_ONCE
    ONCE = AT_MOST_ONCE


@dataclass(frozen=True, slots=True)
class Instance:
    """The context that an operator is opened with: its number among the instances of its stage, and the settings.

    `config` is the stream's (`with_config`), `job_config` the job's (`Builder.option`).
    """

    index: int = 0
    parallelism: int = 1
    stage: str = ""
    config: Mapping[str, str] = field(default_factory=dict)
    job_config: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of this instance within its job."""
        return f"{self.stage}/{self.index}"

    # Ray Streaming's names for these, which function objects that were written for it call in `open`.

    def get_task_id(self) -> str:
        """Return the name of this instance within its job."""
        return self.name

    def get_task_index(self) -> int:
        """Return the number of this instance within its stage, from 0."""
        return self.index

    def get_parallelism(self) -> int:
        """Return the number of instances of its stage."""
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
    A `durable` stage stores by its own means the records it has taken: it acknowledges a batch when its operator has
    returned, and acknowledgement stops there. A stage that is not durable acknowledges when the next stages have.
    `senders` names the instances that feed it. `cpus` and `resources` are the demand of each instance, or of each
    call of a function, on its node. Records that are `first` do not wait for the others.
    """

    name: str
    kind: StageKind
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
    def instances(self) -> list[str]:
        """The names of its instances."""
        return [f"{self.name}/{index}" for index in range(self.parallelism)]

    @property
    def demand(self) -> Mapping[str, float]:
        """All that each instance asks of its node, by Ray's names."""
        return {**self.resources, "CPU": self.cpus} if self.cpus else dict(self.resources)

    def with_demand(self, resource: str, amount: float) -> Stage:
        """Return the stage with a demand for so much of the resource, which may be `CPU`."""
        if resource == "CPU":
            return replace(self, cpus=amount)
        return replace(self, resources={**self.resources, resource: amount})

    def build(self) -> Any:
        """Return a new operator. Raises LookupError for a stage whose operator belongs to another process."""
        return self.function()

    @property
    def function(self) -> Callable[..., Any]:
        """The maker of the operator, or the function of a FUNCTION stage. Raises LookupError, as `build` does."""
        if self.make is None:
            raise LookupError(f"the operator of stage {self.name!r} is not known here")
        return self.make
