"""The lifecycle of the service: start, rounds, report and shutdown, on a cluster, on one machine and without Ray."""

import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Any, Protocol

from messaging.errors import ConfigurationError
from messaging.gateway import Gateway
from messaging.service.stalls import StallWatch
from messaging.service.state_file import RunningService
from messaging.store.console.queues import sendable
from messaging.store.db.room import folder_room_problem, store_room_problem

log = logging.getLogger(__name__)


class Job(Protocol):
    """The running pipeline, to drain and stop it."""

    def announce_drain(self) -> None:
        """Let every instance show that it is draining; everything is still taken."""

    def drain(self, seconds: float) -> bool:
        """Stop the sources and let everything in work settle. Returns whether it did within `seconds`."""

    def stop(self) -> None:
        """End all instances. Records that were not drained stay with their durable stages."""


class Instances(Protocol):
    """The instances of the pipeline's stages."""

    @property
    def job(self) -> Job:
        """Return the handle of the job, to drain and stop it."""

    def look(self) -> list[dict[str, Any]]:
        """Start what is missing and return the status of each instance."""


class WebServer:
    """Starts the web server on a thread of its own, one start at a time: Serve may take long to answer.

    With `watch` it is started again whenever it does not stand; a cluster that ends with this process keeps it.
    """

    def __init__(
        self,
        start: Callable[[], None],
        stands: Callable[[], bool],
        stop: Callable[[], None],
        *,
        watch: bool = True,
    ) -> None:
        self._start = start
        self._stands = stands
        self._watch = watch
        self.stop = stop
        self._thread = ThreadPoolExecutor(1)
        self._check: Future[None] | None = None
        self.answers = False
        self.error: BaseException | None = None

    def look(self) -> None:
        """Note the result of the last check, and begin the next one: it starts the web server unless it is there."""
        if self._check is not None:
            if not self._check.done():
                return
            self.error = self._check.exception()
            self.answers = self.error is None
            if self.error is not None:
                log.warning("the web server: %s", type(self.error).__name__)
            elif not self._watch:
                return
        self._check = self._thread.submit(self._ensure)

    def _ensure(self) -> None:
        if not self._stands():
            self._start()

    def close(self) -> None:
        """Begin no further check, and wait for one that runs."""
        self._thread.shutdown(cancel_futures=True)


class Lifecycle:
    """Starts the service in rounds, reports on it and shuts it down.

    `look` is one round. `report` and `stop` may be called on other threads meanwhile.
    """

    def __init__(self, gateway: Gateway, instances: Instances, web: WebServer) -> None:
        self.gateway = gateway
        self.web = web
        self.state = "starting"
        self._instances = instances
        self._busy = Lock()
        self._workers: list[dict[str, Any]] = []
        self._since = time.time()
        self._problem = ""
        settings = gateway.settings
        find = partial(sendable, tuple(gateway.capacity), settings.lease_seconds)
        self._stalls = StallWatch(settings.stalled_seconds, find)

    def look(self) -> None:
        """Do one round: start what is missing and read all statuses. Raises StreamingError, RayError."""
        with self._busy:
            if self.state in ("draining", "stopped"):
                return
            try:
                self.prepare()
            except ConfigurationError as error:
                if str(error) != self._problem:
                    log.error("%s", error)
                self._problem = str(error)
                return
            self.web.look()
            self._workers = self._instances.look()
            self._stalls.look(self._workers)
            if self._mail_addresses() and self.web.answers:
                self.state, self._problem = "running", ""

    def prepare(self) -> None:
        """Do what has to be done before each round. A ConfigurationError ends the round and is reported."""

    def report(self) -> RunningService:
        """Return the state at the last round."""
        return RunningService(
            pid=os.getpid(),
            state=self.state,
            mail=self._mail_addresses(),
            http=f"http://{self.gateway.settings.http_listen}",
            since=self._since,
            at=time.time(),
            workers=self._workers,
            problem=self._find_problem(),
            admin=self.gateway.settings.admin_url,
        )

    def _mail_addresses(self) -> list[str]:
        return [str(a) for row in self._workers for a in row.get("listening", ())]

    def _find_problem(self) -> str:
        if self._problem or self.state in ("draining", "stopped"):
            return self._problem
        if all(row.get("lost") for row in self._workers):
            return "no worker has started yet; each needs SATBRIDGE_WORKER_CPUS of a processor"
        if not self._mail_addresses():
            return "mail-in does not listen; its log says why"
        if not self.web.answers:
            return "the web server does not answer yet"
        settings = self.gateway.settings
        room = store_room_problem(settings) or folder_room_problem(settings)
        return room or self._stalls.problem

    def stop(self, announced: Callable[[], object] = lambda: None) -> bool:
        """Drain and end the job and the web server; return whether everything in work was settled in `drain_seconds`.

        Readiness goes off first (`announced` is called then), and for `unready_seconds` the service still accepts
        everything. Then the sources stop, then the web server, then the work in progress settles. The rest is due
        again when its lease ends.
        """
        self.state = "draining"  # a round under way is the last one
        with self._busy:
            self.web.close()
            settings, job = self.gateway.settings, self._instances.job
            deadline = time.monotonic() + settings.unready_seconds + settings.drain_seconds
            job.announce_drain()
            announced()
            time.sleep(settings.unready_seconds)
            settled = job.drain(deadline - time.monotonic())
            self.web.stop()
            settled = settled and job.drain(max(deadline - time.monotonic(), 1.0))
            job.stop()
            self.state, self._workers = "stopped", []
        return settled
