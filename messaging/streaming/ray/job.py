"""The handle of a job that runs on Ray: ask it, drain it, stop it."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayError

from messaging.streaming.api.errors import StreamingError, WorkerLost
from messaging.streaming.api.graph import Graph, Kind, Stage
from messaging.streaming.api.names import JobName
from messaging.streaming.ops.metrics import Lives
from messaging.streaming.stateful.completion import JobCompletion
from messaging.streaming.stateful.guard import DeadLetter
from messaging.streaming.stateful.queryable_state import QueryableState, find_state
from messaging.streaming.stateful.state.savepoint import StageState, write_savepoint
from messaging.streaming.viz.drawing import dot_of, text_of
from messaging.streaming.viz.picture import svg_of

ASK_SECONDS = 5.0


class Job:
    """A job on Ray. Its actors live as long as the handle that `submit` returned, or until `stop` or the end."""

    def __init__(
        self, name: JobName, graph: Graph, actors: dict[tuple[str, int], ActorHandle[Any]]
    ) -> None:
        self.name = name
        self.graph = graph
        self._actors = actors
        self._lives = Lives()
        self._last_status: list[dict[str, Any]] = []
        self._last_set_aside: list[DeadLetter] = []
        self._supervision: JobCompletion | None = None
        self._at_end = ExitStack()
        self._ending = threading.Lock()

    # -- about it

    def status(self) -> list[dict[str, Any]]:
        """What every instance says about itself; one that does not answer in time says `lost`.

        Where it runs (`node`, `pid`), records `in`, `out` and `set_aside`, `in_per_second` and `out_per_second`
        over the last five seconds, batches that wait (`lag`), `restarts` since the handle began to ask, and the
        `last_error`; of a lost one, what Ray says about it. After the end: what they said last.
        """
        if not self._actors:
            return self._last_status
        asked: dict[tuple[str, int], Any] = {
            key: actor.status.remote() for key, actor in self._actors.items()
        }
        ray.wait(list(asked.values()), num_returns=len(asked), timeout=ASK_SECONDS)
        return [self._answer(stage, index, ref) for (stage, index), ref in asked.items()]

    def set_aside(self) -> list[DeadLetter]:
        """The newest records that a function raised on, with the stage and the error. Raises StreamingError."""
        if not self._actors:
            return self._last_set_aside
        found = self._ask_all("set_aside", [s for s in self.graph.stages if s.kind.keeps])
        return [one for answer in found for one in answer]

    def state(self, stage: str) -> QueryableState:
        """What a stage has committed, to be asked by key. Raises StreamingError; see `kept_state.find_state`."""
        return find_state(self.name, stage)

    def __str__(self) -> str:
        return text_of(self.graph, self.status())

    def dot(self) -> str:
        """The physical graph for Graphviz, with what every instance does now."""
        return dot_of(self.graph, self.status())

    def picture(self) -> str:
        """The same as an SVG image, which any browser shows."""
        return svg_of(self.graph, self.status())

    # -- its life

    def wait(self, seconds: float | None = None) -> bool:
        """Return when all sources have ended and their records are through, or after so many seconds; and which.

        Raises StreamingError when the end could not be reached. A job with an inlet has no end.
        """
        if self._supervision is None:
            raise StreamingError("a job that is fed from outside ends by `stop`")
        return self._supervision.wait(seconds)

    def announce_drain(self) -> None:
        """Let every instance say that it is draining, so that nobody is sent here any more; all is still taken."""
        calls: list[Any] = [actor.announce_drain.remote() for actor in self._actors.values()]
        ray.wait(calls, num_returns=len(calls), timeout=ASK_SECONDS)

    def drain(self, seconds: float) -> bool:
        """Sources stop taking and everything in work settles. Returns whether it did within `seconds`."""
        self._leave_alone()
        deadline = time.monotonic() + seconds
        for stage in self.graph.upstream_first():
            calls = [actor.drain.remote() for actor in self._of(stage)]
            left = max(deadline - time.monotonic(), 0.1)
            if calls and not all_done(calls, left):
                return False
        return True

    def stop(self) -> None:
        """End all actors, sources first. What is not drained is left to whoever keeps it."""
        self._leave_alone()
        for stage in self.graph.upstream_first():
            for actor in self._of(stage):
                ray.kill(actor)
        self._at_end.close()

    def at_end(self, function: Callable[[], object]) -> None:
        """Call this when the job has ended or was stopped."""
        self._at_end.callback(function)

    def savepoint(self, path: str | Path, seconds: float = 60.0) -> None:
        """Pause the sources, let everything in work settle, write all state to a file, and go on.

        `submit(..., savepoint=path)` starts from it. Raises StreamingError when it does not settle in time, and for a
        job that has ended.
        """
        with self._ending:
            if not self._actors:
                raise StreamingError("the job has ended: there is nothing to save")
            self._save(Path(path), seconds)

    def _save(self, path: Path, seconds: float) -> None:
        readers = [stage for stage in self.graph.stages if stage.kind is Kind.READER]
        self._ask_all("pause", readers, True)
        try:
            for stage in self.graph.upstream_first():
                if stage.kind.keeps:
                    self._ask_all("settle", [stage], seconds=seconds)
            write_savepoint(path, self._states())
        finally:
            self._ask_all("pause", readers, False)

    def supervise(self) -> None:
        """See to the end of the job, if it can have one: its sources end, and nobody feeds it from outside."""
        if all(stage.kind is not Kind.INLET for stage in self.graph.stages):
            self._supervision = JobCompletion(self)

    def end(self) -> None:
        """Let every actor go that has finished; what they know stays readable."""
        with self._ending:
            self._end()

    def _end(self) -> None:
        self._last_status = self.status()
        self._last_set_aside = self.set_aside()
        actors, self._actors = list(self._actors.values()), {}
        ray.wait(
            [actor.leave.remote() for actor in actors], num_returns=len(actors), timeout=ASK_SECONDS
        )
        for actor in actors:
            ray.kill(actor)
        self._at_end.close()

    def actors_of(self, *kinds: Kind) -> list[Any]:
        """The actors of all stages of these kinds."""
        return [a for stage in self.graph.stages if stage.kind in kinds for a in self._of(stage)]

    def finish(self, stage: Stage) -> None:
        """Everything before the stage has ended: let it do what waits for that. Raises StreamingError."""
        self._ask_all("finish", [stage], seconds=None)

    # -- how it is done

    def _of(self, stage: Stage) -> list[Any]:
        return [actor for (name, _), actor in self._actors.items() if name == stage.name]

    def _ask_all(
        self, method: str, stages: Sequence[Stage], *arguments: Any, seconds: float | None = 60.0
    ) -> list[Any]:
        actors = [actor for stage in stages for actor in self._of(stage)]
        try:
            answers: list[Any] = ray.get(
                [getattr(actor, method).remote(*arguments) for actor in actors], timeout=seconds
            )
        except RayError as error:
            raise WorkerLost(f"{method}: {type(error).__name__}") from None
        return answers

    def _states(self) -> Iterator[StageState]:
        for stage in self.graph.stages:
            if stage.kind.keeps:
                answers = self._ask_all("state_entries", [stage])
                entries = [entry for state, _ in answers for entry in state]
                yield StageState(stage.name, entries, [head for _, head in answers])

    def _leave_alone(self) -> None:
        if self._supervision is not None:
            self._supervision.stop()

    def _answer(self, stage: str, index: int, reference: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = ray.get(reference, timeout=0)
        except (RayError, TimeoutError) as error:
            why = type(error).__name__
            return {"stage": stage, "name": f"{stage}/{index}", "lost": True, "last_error": why}
        return {**answer, "restarts": self._lives.seen(answer["name"], answer["pid"])}


def all_done(calls: list[Any], seconds: float) -> bool:
    """Return whether all calls ended well within the time."""
    done, waiting = ray.wait(calls, num_returns=len(calls), timeout=seconds)
    for reference in done:
        try:
            ray.get(reference)
        except RayError:
            # A worker that died while draining left what it had in work to the leases and the peers.
            return False
    return not waiting
