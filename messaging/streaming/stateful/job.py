"""The handle of a library job on Ray: beside status, drain and stop, its end, its state and its savepoints."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError

from messaging.streaming.api.errors import StreamingError, WorkerLost
from messaging.streaming.api.graph import Graph, JobName
from messaging.streaming.api.stage import Stage, StageKind
from messaging.streaming.ops.status import ANSWER_SECONDS
from messaging.streaming.ray.job import RayJob
from messaging.streaming.stateful.completion import JobCompletion
from messaging.streaming.stateful.guard import FailedRecord
from messaging.streaming.stateful.queryable_state import QueryableState, find_state
from messaging.streaming.stateful.state.savepoint import StageState, write_savepoint
from messaging.streaming.viz.dot import dot_of
from messaging.streaming.viz.svg import svg_of


class Job(RayJob):
    """A job on Ray. Its actors run as long as the handle that `submit` returned, or until `stop` or the end."""

    def __init__(self, name: JobName, graph: Graph) -> None:
        super().__init__(name, graph)
        self._stateful = [stage for stage in graph.stages if stage.kind.is_stateful]
        self._last_status: list[dict[str, Any]] = []
        self._last_dead_letters: list[FailedRecord] = []
        self._completion: JobCompletion | None = None
        self._ending = threading.Lock()

    # -- questions

    def status(self) -> list[dict[str, Any]]:
        """Return the status of every instance, see `RayJob.status`; after the end, the last one."""
        return super().status() if self.actors else self._last_status

    def dead_letters(self) -> list[FailedRecord]:
        """Return the newest dead letters: records that a function raised on, with the error. Raises StreamingError."""
        if not self.actors:
            return self._last_dead_letters
        answers = self._call("dead_letters", self._stateful)
        return [failed for answer in answers for failed in answer]

    def state(self, stage: str) -> QueryableState:
        """Return the committed state of a stage, to be asked by key. Raises StreamingError; see `find_state`."""
        return find_state(self.name, stage)

    def dot(self) -> str:
        """Return the physical graph for Graphviz, with the activity of every instance."""
        return dot_of(self.graph, self.status())

    def picture(self) -> str:
        """Return the same as an SVG image, which any browser shows."""
        return svg_of(self.graph, self.status())

    # -- the end

    def wait(self, seconds: float | None = None) -> bool:
        """Wait so long until all sources have ended and all records are through; return whether they are.

        Raises StreamingError when the end could not be reached. A job with an inlet has no end.
        """
        if self._completion is None:
            raise StreamingError("a job that is fed from outside ends by `stop`")
        return self._completion.wait(seconds)

    def drain(self, seconds: float) -> bool:
        """See RayJob."""
        self._stop_completion()
        return super().drain(seconds)

    def stop(self) -> None:
        """See RayJob."""
        self._stop_completion()
        super().stop()

    def complete(self) -> None:
        """Begin to wait for the end of the job, if it can have one: no inlet feeds it from outside."""
        if all(stage.kind is not StageKind.INLET for stage in self.graph.stages):
            self._completion = JobCompletion(self)

    def finish(self, stage: Stage) -> None:
        """Let a stage finish: everything before it has ended. Raises StreamingError."""
        self._call("finish", [stage], seconds=None)

    def end(self) -> None:
        """End every actor, after their last status and failed records. Raises StreamingError."""
        with self._ending:
            self._last_status = self.status()
            self._last_dead_letters = self.dead_letters()
            actors: list[Any] = list(self.actors.values())
            self.actors = {}
            leaving = [actor.leave.remote() for actor in actors]
            ray.wait(leaving, num_returns=len(leaving), timeout=ANSWER_SECONDS)
            for actor in actors:
                ray.kill(actor)
            self._at_end.close()

    def savepoint(self, path: str | Path, seconds: float = 60.0) -> None:
        """Pause the sources, let everything in work settle, write all state to a file, and go on.

        `submit(..., savepoint=path)` starts from it. Raises StreamingError when it does not settle in time, and for a
        job that has ended.
        """
        with self._ending:
            if not self.actors:
                raise StreamingError("the job has ended: there is nothing to save")
            readers = [stage for stage in self.graph.stages if stage.kind is StageKind.READER]
            self._call("pause", readers, True)
            try:
                for stage in self.graph.upstream_first():
                    if stage.kind.is_stateful:
                        self._call("settle", [stage], seconds=seconds)
                write_savepoint(Path(path), self._states())
            finally:
                self._call("pause", readers, False)

    def _states(self) -> Iterator[StageState]:
        for stage in self._stateful:
            answers = self._call("state_entries", [stage])
            entries = [entry for state, _ in answers for entry in state]
            yield StageState(stage.name, entries, [head for _, head in answers])

    def _call(
        self, method: str, stages: Sequence[Stage], *arguments: Any, seconds: float | None = 60.0
    ) -> list[Any]:
        calls = [getattr(actor, method).remote(*arguments) for actor in self.actors_of(*stages)]
        try:
            answers: list[Any] = ray.get(calls, timeout=seconds)
        except RayError as error:
            raise WorkerLost(f"{method}: {type(error).__name__}") from None
        return answers

    def _stop_completion(self) -> None:
        if self._completion is not None:
            self._completion.stop()


setattr(Job, "set_aside", Job.dead_letters)  # noqa: B010 - the older name, which programs of users call
