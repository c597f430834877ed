"""Reconciles a job whose instances outlive their starter: starts missing instances, restarts silent ones."""

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

import ray
from ray.exceptions import ActorDiedError, RayError
from ray.util import list_named_actors

from messaging.streaming.api.graph import Graph, JobName
from messaging.streaming.ops.silence import SILENT_SECONDS, SilenceJudge
from messaging.streaming.ray.hosts import HostOptions, start_detached_host
from messaging.streaming.ray.job import Actors, RayJob, process_rows

log = logging.getLogger(__name__)

LEAVE_SECONDS = 10.0

Key = tuple[str, int]


class JobReconciler:
    """Reconciles a job in rounds. A later reconciler of the same name adopts the running instances and goes on.

    It starts and ends processes of stage groups, by the placement of the options. It remembers nothing that the
    cluster does not know as well: processes are found again by their names.
    """

    def __init__(
        self,
        name: JobName,
        graph: Graph,
        options: HostOptions,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        self._name = name
        self._graph = graph
        self._options = options
        self._silence = SilenceJudge(silent_seconds)
        self._actors: Actors = {}
        self._counts = {
            group: max(stage.parallelism for stage in stages)
            for group, stages in options.placement.groups_of(graph).items()
        }
        self._places: dict[str, frozenset[str]] = {}
        self._adopted = False
        self.job = RayJob(name, graph, options.placement, self._actors)

    def spread(self, stage: str, nodes: Collection[str], resources: Mapping[str, float]) -> None:
        """From now on run one instance of the stage on each of these nodes (the first 8 characters of their ids).

        The `resources` that each instance asks for have to be such that Ray puts one on each.
        """
        group = self._options.placement.group_of(stage)
        self._counts[group] = len(nodes)
        self._places[group] = frozenset(nodes)
        self._graph = replace(
            self._graph,
            stages=tuple(
                replace(each, resources={**each.resources, **resources})
                if each.name == stage
                else each
                for each in self._graph.stages
            ),
        )

    def look(self) -> list[dict[str, Any]]:
        """Do one round: start missing processes, ask all, end misplaced ones, restart those that stay silent.

        Returns the status of all instances; takes seconds when one does not answer. Raises RayError when the cluster's
        tables cannot be reached: running instances go on then, and nothing is started.
        """
        self.adopt()
        for key in self._missing():
            self._actors[key] = start_detached_host(self._name, self._graph, *key, self._options)
        rows = self.job.status_by_process()
        by_process = process_rows(rows)
        overdue = self._silence.overdue(list(by_process.values()))
        for key, row in by_process.items():
            self._reconcile(key, row, is_overdue=row["name"] in overdue)
        return [row for some in rows.values() for row in some]

    def adopt(self) -> None:
        """Find the running processes, once; `look` begins with it. Raises RayError."""
        if self._adopted:
            return
        for found in list_named_actors(all_namespaces=True):
            job, _, rest = found["name"].partition("/")
            group, _, index = rest.rpartition("/")
            ours = (job, found["namespace"]) == (self._name.job, self._name.namespace)
            if ours and group in self._counts:
                name, namespace = found["name"], found["namespace"]
                self._actors[group, int(index)] = ray.get_actor(name, namespace=namespace)
        self._adopted = True

    def _missing(self) -> Iterator[Key]:
        for group, count in self._counts.items():
            running = {index for name, index in self._actors if name == group}
            free = (index for index in range(count) if index not in running)
            for _ in range(count - len(running)):
                yield group, next(free)

    def _reconcile(self, key: Key, row: dict[str, Any], *, is_overdue: bool) -> None:
        if row.get("last_error") == ActorDiedError.__name__:
            # Ray will not start it again; the next round does.
            log.warning("%s has ended for good", row["name"])
            self._forget(key)
        elif row.get("lost"):
            running = sum(name == key[0] for name, _ in self._actors)
            if key[0] in self._places and running > max(self._counts[key[0]], 1):
                log.warning("%s has no node any more", row["name"])
                ray.kill(self._actors[key])
                self._forget(key)
            elif is_overdue:
                log.warning("%s does not answer: it is started again", row["name"])
                ray.kill(self._actors[key], no_restart=False)
        elif row["node"] not in self._places.get(key[0], {row["node"]}):
            self._send_away(key, row["name"])

    def _send_away(self, key: Key, name: str) -> None:
        log.warning("%s runs on a node that is not meant for it: it moves", name)
        actor: Any = self._actors[key]
        stages = self._options.placement.groups_of(self._graph)[key[0]]
        try:
            ray.wait([actor.drain.remote(stages[0].name)], timeout=LEAVE_SECONDS)
            ray.kill(actor)
        except RayError as error:
            log.warning("%s: %s", name, type(error).__name__)
        self._forget(key)

    def _forget(self, key: Key) -> None:
        self._actors.pop(key, None)
        self._silence.forget(f"{key[0]}/{key[1]}")


def nodes_with(resource: str) -> frozenset[str]:
    """Return the living nodes that have some of a custom resource, by the first 8 characters of their ids."""
    ask: Any = ray.nodes  # which Ray has not typed
    nodes = (node for node in ask() if node["Alive"] and node["Resources"].get(resource))
    return frozenset(str(node["NodeID"])[:8] for node in nodes)
