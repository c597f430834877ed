"""The handle of a job that runs on Ray: its status, its drain and its end."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayError

from messaging.streaming.api.graph import Graph, JobName
from messaging.streaming.api.placement import SEPARATE, Placement
from messaging.streaming.api.stage import Stage
from messaging.streaming.ops.metrics import RestartCounter
from messaging.streaming.ops.status import ANSWER_SECONDS, ask_all

log = logging.getLogger(__name__)

Actors = dict[tuple[str, int], ActorHandle[Any]]
"""The actors of a job by stage group and number."""


class RayJob:
    """A job on Ray. Its actors run as long as the handle that `submit` returned, or until `stop`."""

    def __init__(
        self,
        name: JobName,
        graph: Graph,
        placement: Placement = SEPARATE,
        actors: Actors | None = None,
    ) -> None:
        self.name = name
        self.graph = graph
        self.placement = placement
        self.actors: Actors = {} if actors is None else actors
        self._restarts = RestartCounter()
        self._at_end = ExitStack()

    def status(self) -> list[dict[str, Any]]:
        """Return the status of every instance; one that does not answer in time says `lost`.

        A row has the place (`node`, `pid`), records `in`, `out` and `set_aside`, `in_per_second` and `out_per_second`
        over the last five seconds, waiting batches (`lag`), `restarts` since the first call, and the `last_error`; of
        a lost one, the type of Ray's error.
        """
        return [row for rows in self.status_by_process().values() for row in rows]

    def status_by_process(self) -> dict[tuple[str, int], list[dict[str, Any]]]:
        """Return the status of the instances in each process, by stage group and number."""
        actors = {f"{group}/{index}": actor for (group, index), actor in self.actors.items()}
        asking = ask_all(actors, ANSWER_SECONDS, self.placement.instances(self.graph))
        # A thread of its own, since the caller may be on an event loop.
        with ThreadPoolExecutor(max_workers=1) as thread:
            answers = thread.submit(asyncio.run, asking).result()
        for rows in answers:
            for row in rows:
                if "pid" in row:
                    row["restarts"] += self._restarts.count(row["name"], row["pid"])
        return dict(zip(self.actors, answers, strict=True))

    def __str__(self) -> str:
        return self.graph.text(self.status())

    def announce_drain(self) -> None:
        """Let every instance show that it is draining, so that it gets no new clients; everything is still taken."""
        calls: list[Any] = [actor.announce_drain.remote() for actor in self.actors.values()]
        ray.wait(calls, num_returns=len(calls), timeout=ANSWER_SECONDS)

    def drain(self, seconds: float) -> bool:
        """Stop the sources and let everything in work settle. Returns whether it did within `seconds`."""
        deadline = time.monotonic() + seconds
        for stage in self.graph.upstream_first():
            calls = [actor.drain.remote(stage.name) for actor in self.actors_of(stage)]
            left = max(deadline - time.monotonic(), 0.1)
            if calls and not all_done(calls, left):
                return False
        return True

    def stop(self) -> None:
        """End all actors, sources first. Records that were not drained stay with their durable stages."""
        for group in self.placement.groups_of(self.graph):
            for (name, _), actor in self.actors.items():
                if name == group:
                    ray.kill(actor)
        self._at_end.close()

    def run_in_all(self, function: Callable[[], object]) -> None:
        """Call a function in the process of every instance; one that does not answer in time is left out."""
        calls: list[Any] = [actor.run.remote(function) for actor in self.actors.values()]
        ray.wait(calls, num_returns=len(calls), timeout=ANSWER_SECONDS)

    def restart(self, name: str) -> None:
        """End a process of a stage group, so that Ray starts it again; log it when the cluster cannot be reached."""
        group, _, index = name.rpartition("/")
        try:
            ray.kill(self.actors[group, int(index)], no_restart=False)
        except RayError as error:
            log.warning("%s cannot be ended: %s", name, type(error).__name__)

    def at_end(self, function: Callable[[], object]) -> None:
        """Call this when the job has ended or was stopped."""
        self._at_end.callback(function)

    def actors_of(self, *stages: Stage) -> list[Any]:
        """Return the actors of these stages."""
        groups = {self.placement.group_of(stage.name) for stage in stages}
        return [actor for (group, _), actor in self.actors.items() if group in groups]


def process_rows(
    rows: Mapping[tuple[str, int], Sequence[dict[str, Any]]],
) -> dict[tuple[str, int], dict[str, Any]]:
    """Return one row for each process, with the name of the process: of an instance that answers, if one does."""
    found = {}
    for (group, index), some in rows.items():
        answering = [row for row in some if not row.get("lost")]
        found[group, index] = {**(answering or some)[0], "name": f"{group}/{index}"}
    return found


def all_done(calls: list[Any], seconds: float) -> bool:
    """Return whether all calls ended well within the time."""
    done, waiting = ray.wait(calls, num_returns=len(calls), timeout=seconds)
    for reference in done:
        try:
            ray.get(reference)
        except RayError:
            # A worker that died while draining left its records in work to the leases and the peers.
            return False
    return not waiting
