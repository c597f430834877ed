"""Sees a job to its end: when its sources have ended, every stage finishes, upstream first, and the actors go."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import ray
from ray.exceptions import RayError

from messaging.streaming.api.errors import StreamingError
from messaging.streaming.api.graph import Kind

if TYPE_CHECKING:
    from messaging.streaming.ray.job import Job

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
PAUSE_SECONDS = 0.5


class JobCompletion:
    """A thread of the process that submitted the job. A worker that dies meanwhile is asked again when it is back."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._over = threading.Event()
        self._stopped = threading.Event()
        thread = threading.Thread(target=self._run, name=f"{job.name.job} to its end", daemon=True)
        thread.start()

    def wait(self, seconds: float | None) -> bool:
        """Return whether the end came. Raises StreamingError when it never will."""
        over = self._over.wait(seconds)
        if over and self._stopped.is_set():
            raise StreamingError("the job was stopped before its end")
        return over

    def stop(self) -> None:
        """Somebody else ends the job."""
        if not self._over.is_set():
            self._stopped.set()

    def _run(self) -> None:
        try:
            for step in (self._sources_ended, self._finished, self._left):
                while not self._stopped.is_set() and not step():
                    time.sleep(PAUSE_SECONDS)
        except Exception as error:
            # Ray was shut down below us: there is no job any more.
            log.debug("supervision ended: %s", type(error).__name__)
            self._stopped.set()
        finally:
            self._over.set()

    def _sources_ended(self) -> bool:
        if not ray.is_initialized():
            raise StreamingError("Ray is gone")
        try:
            sources = self._job.actors_of(Kind.SOURCE, Kind.READER)
            return all(ray.get([source.ended.remote(POLL_SECONDS) for source in sources]))
        except RayError:
            return False

    def _finished(self) -> bool:
        try:
            for stage in self._job.graph.upstream_first():
                self._job.finish(stage)
        except StreamingError:
            return False
        return True

    def _left(self) -> bool:
        try:
            self._job.end()
        except StreamingError:
            return False
        return True
