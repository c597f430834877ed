"""Completes a job: when its sources have ended, every stage finishes, upstream first, and the actors end."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import ray
from ray.exceptions import RayError

from messaging.streaming.api.errors import StreamingError
from messaging.streaming.api.stage import StageKind

if TYPE_CHECKING:
    from messaging.streaming.stateful.job import Job

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
PAUSE_SECONDS = 0.5


class JobCompletion:
    """A thread of the process that submitted the job. A worker that dies meanwhile is asked again when it is back."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._over = threading.Event()
        self._stopped = threading.Event()
        name = f"completion of {job.name.job}"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def wait(self, seconds: float | None) -> bool:
        """Return whether the end came. Raises StreamingError when it never will."""
        over = self._over.wait(seconds)
        if over and self._stopped.is_set():
            raise StreamingError("the job was stopped before its end")
        return over

    def stop(self) -> None:
        """Leave the job alone: it is being drained or stopped."""
        if not self._over.is_set():
            self._stopped.set()

    def _run(self) -> None:
        try:
            for step in (self._have_sources_ended, self._finish_stages, self._end_actors):
                while not self._stopped.is_set() and not step():
                    time.sleep(PAUSE_SECONDS)
        except Exception as error:
            # Ray was shut down below us: there is no job any more.
            log.debug("completion ended: %s", type(error).__name__)
            self._stopped.set()
        finally:
            self._over.set()

    def _have_sources_ended(self) -> bool:
        if not ray.is_initialized():
            raise StreamingError("Ray is gone")
        kinds = (StageKind.SOURCE, StageKind.READER)
        sources = self._job.actors_of(*(s for s in self._job.graph.stages if s.kind in kinds))
        try:
            return all(ray.get([source.wait_for_end.remote(POLL_SECONDS) for source in sources]))
        except RayError:
            return False

    def _finish_stages(self) -> bool:
        try:
            for stage in self._job.graph.upstream_first():
                self._job.finish(stage)
        except StreamingError:
            return False
        return True

    def _end_actors(self) -> bool:
        try:
            self._job.end()
        except StreamingError:
            return False
        return True
