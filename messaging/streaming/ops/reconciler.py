"""A job whose instances outlive whoever started them: what is missing is started, what is stuck is started again."""

import logging
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import ActorDiedError, GetTimeoutError, RayError
from ray.util import list_named_actors

from messaging.streaming.api.graph import Graph
from messaging.streaming.api.names import JobName
from messaging.streaming.ray.cluster import HostOptions, host_stateful_task
from messaging.streaming.ray.job import Job

log = logging.getLogger(__name__)

STUCK_SECONDS = 20.0
# One that has not answered yet may wait for a node, or for its turn on a busy one.
START_SECONDS = 120.0
LEAVE_SECONDS = 10.0

Key = tuple[str, int]


class JobReconciler:
    """Looks after a job in rounds. Whoever comes later under the same name finds what is there and goes on.

    Nothing here is remembered that the cluster does not know as well: instances are found again by their names.
    """

    def __init__(
        self, name: JobName, graph: Graph, life: HostOptions, stuck_seconds: float = STUCK_SECONDS
    ) -> None:
        self._name = name
        self._graph = graph
        self._life = life
        self._stuck_seconds = stuck_seconds
        self._actors: dict[Key, ActorHandle[Any]] = {}
        self._silent_since: dict[Key, float] = {}
        self._answered: set[Key] = set()
        self._counts = {s.name: s.parallelism for s in graph.stages if s.kind.has_actors}
        self._places: dict[str, frozenset[str]] = {}
        self._resources: dict[str, Mapping[str, float]] = {}
        self._adopted = False
        self.job = Job(name, graph, self._actors)

    def spread(self, stage: str, nodes: Collection[str], resources: Mapping[str, float]) -> None:
        """From now on the stage has one instance on each of these nodes (the first 8 characters of their ids).

        The `resources` that each instance asks for have to be such that Ray puts one on each.
        """
        self._counts[stage] = len(nodes)
        self._places[stage] = frozenset(nodes)
        self._resources[stage] = resources

    def look(self) -> list[dict[str, Any]]:
        """Go round once: start what is missing, ask everybody, end what is in the wrong place, restart what is stuck.

        Returns the status of all; takes seconds when somebody does not answer. Raises RayError when the cluster's
        tables cannot be reached: what runs goes on then, and nothing is started.
        """
        self.adopt()
        for key in self._missing():
            name, index = key
            stage = self._graph.stage(name)
            held = replace(stage, resources={**stage.resources, **self._resources.get(name, {})})
            self._actors[key] = host_stateful_task(self._name, self._graph, held, index, self._life)
        rows = self.job.status()
        for key, row in zip(list(self._actors), rows, strict=True):
            self._judge(key, row)
        return rows

    def adopt(self) -> None:
        """Find what is there already, once; `look` begins with it. Raises RayError."""
        if self._adopted:
            return
        for found in list_named_actors(all_namespaces=True):
            job, _, rest = found["name"].partition("/")
            stage, _, index = rest.rpartition("/")
            ours = (job, found["namespace"]) == (self._name.job, self._name.namespace)
            if ours and stage in self._counts:
                name, namespace = found["name"], found["namespace"]
                self._actors[stage, int(index)] = ray.get_actor(name, namespace=namespace)
        self._adopted = True

    def _missing(self) -> Iterator[Key]:
        for stage, count in self._counts.items():
            taken = {index for name, index in self._actors if name == stage}
            free = (index for index in range(count) if index not in taken)
            for _ in range(count - len(taken)):
                yield stage, next(free)

    def _judge(self, key: Key, row: dict[str, Any]) -> None:
        if row.get("last_error") == ActorDiedError.__name__:
            # Nobody will start it again but we, in the next round.
            log.warning("%s has ended for good", row["name"])
            self._forget(key)
        elif row.get("lost"):
            self._judge_silent(key, row)
        else:
            self._silent_since.pop(key, None)
            self._answered.add(key)
            if row["node"] not in self._places.get(key[0], {row["node"]}):
                self._send_away(key, row["name"])

    def _judge_silent(self, key: Key, row: dict[str, Any]) -> None:
        since = self._silent_since.setdefault(key, time.monotonic())
        if row["last_error"] != GetTimeoutError.__name__:
            self._answered.discard(key)  # Ray is starting it again, which takes its time
        patience = self._stuck_seconds if key in self._answered else START_SECONDS
        if key[0] in self._places and self._surplus(key[0]):
            log.warning("%s has no node any more", row["name"])
            ray.kill(self._actors[key])
            self._forget(key)
        elif time.monotonic() - since > patience:
            log.warning("%s does not answer: it is started again", row["name"])
            self._silent_since[key] = time.monotonic()
            self._answered.discard(key)
            ray.kill(self._actors[key], no_restart=False)

    def _send_away(self, key: Key, name: str) -> None:
        log.warning("%s runs on a node that is not meant for it: it moves", name)
        actor: Any = self._actors[key]
        try:
            ray.wait([actor.drain.remote()], timeout=LEAVE_SECONDS)
            ray.kill(actor)
        except RayError as error:
            log.warning("%s: %s", name, type(error).__name__)
        self._forget(key)

    def _surplus(self, stage: str) -> bool:
        return sum(name == stage for name, _ in self._actors) > max(self._counts[stage], 1)

    def _forget(self, key: Key) -> None:
        self._actors.pop(key, None)
        self._silent_since.pop(key, None)
        self._answered.discard(key)


def nodes_with(resource: str) -> frozenset[str]:
    """Return the living nodes that have some of a custom resource, by the first 8 characters of their ids."""
    ask: Any = ray.nodes  # which Ray has not typed
    has = (node for node in ask() if node["Alive"] and node["Resources"].get(resource))
    return frozenset(str(node["NodeID"])[:8] for node in has)
