"""A dataflow of stateful tasks without Ray, threads or time: a test decides about every step and every crash."""

from dataclasses import dataclass, field
from typing import Any

from messaging.streaming.api.errors import StreamingError
from messaging.streaming.api.graph import Graph
from messaging.streaming.api.stage import StageKind
from messaging.streaming.runtime.output import Routes
from messaging.streaming.stateful.state.store_protocol import Changes, MemoryStore, StoreFailed
from messaging.streaming.stateful.task import StatefulTask


class FailingStore(MemoryStore):
    """Fails when told: before it wrote, or after, when the writer cannot know."""

    def __init__(self) -> None:
        super().__init__()
        self.failing = ""

    def write(self, changes: Changes) -> None:
        failing, self.failing = self.failing, ""
        if failing == "before":
            raise StoreFailed("before")
        super().write(changes)
        if failing == "after":
            raise StoreFailed("after")


@dataclass
class Simulation:
    """All instances of a graph. `crashes` counts the lives that ended."""

    graph: Graph
    batch: int = 3
    crashes: int = 0
    stores: dict[str, FailingStore] = field(default_factory=dict)
    tasks: dict[str, StatefulTask] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.names:
            self.stores[name] = FailingStore()

    @property
    def names(self) -> list[str]:
        """Every instance."""
        return [f"{s.name}/{i}" for s in self.graph.stages for i in range(s.parallelism)]

    def task(self, name: str) -> StatefulTask:
        """The instance, started from its store if it is dead."""
        if name not in self.tasks:
            stage_name, _, index = name.partition("/")
            stage = self.graph.stage(stage_name)
            instance = self.graph.instance(stage, int(index))
            routes = Routes(self.graph, stage_name, int(index))
            self.tasks[name] = StatefulTask(
                stage, instance, stage.build(), routes, self.stores[name]
            )
        return self.tasks[name]

    def crash(self, name: str) -> None:
        """End the instance's life."""
        self.crashes += self.tasks.pop(name, None) is not None

    def read(self, name: str) -> bool:
        """Let a source read a little. Returns whether it went on."""
        if self.task(name).head.ended:
            return False
        self._attempt(name, lambda task: task.read(self.batch))
        return True

    def deliver(self, sender: str, receiver: str, fate: str = "") -> bool:
        """Hand the next batch over. `fate` may lose the acknowledgement. Returns whether there was one."""
        batch = self.task(sender).outbox.first(receiver)
        if batch is None:
            return False
        taken = self._attempt(receiver, lambda task: task.take([batch]))
        if taken and fate != "lost" and sender in self.tasks:
            self.tasks[sender].outbox.acknowledge(receiver, batch.number)
        return True

    def tidy(self, name: str) -> None:
        """Let an instance forget."""
        self._attempt(name, lambda task: task.tidy())

    def settle(self) -> None:
        """Without further failures, read and deliver until nothing is left to do; then finish, upstream first."""
        for store in self.stores.values():
            store.failing = ""
        while self._progress():
            pass
        for stage in self.graph.upstream_first():
            for index in range(stage.parallelism):
                self.task(f"{stage.name}/{index}").finish()
            while self._progress():
                pass

    def channels(self) -> list[tuple[str, str]]:
        """Which instance may send to which."""
        return [(name, to) for name in self.names for to in self._receivers(name)]

    def sources(self) -> list[str]:
        """The instances that read."""
        return [n for n in self.names if self.graph.stage(n.split("/")[0]).kind is StageKind.READER]

    def state(self, stage: str) -> dict[Any, Any]:
        """The state of all instances of a stage, as their stores have it."""
        found: dict[Any, Any] = {}
        for index in range(self.graph.stage(stage).parallelism):
            self.crash(f"{stage}/{index}")
            found |= dict(self.task(f"{stage}/{index}")._state)
        return found

    def _receivers(self, name: str) -> list[str]:
        stage, _, index = name.partition("/")
        return list(Routes(self.graph, stage, int(index)).receivers)

    def _progress(self) -> bool:
        read = [self.read(name) for name in self.sources()]
        delivered = [self.deliver(*channel) for channel in self.channels()]
        return any(read) or any(delivered)

    def _attempt(self, name: str, work: Any) -> bool:
        try:
            work(self.task(name))
        except StreamingError:
            self.crash(name)
            return False
        return True
