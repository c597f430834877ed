"""The client of a service on a Ray cluster: brings it up, reports on it and takes it down."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from messaging.config.settings import Settings
from messaging.errors import Unavailable
from messaging.gateway import Gateway
from messaging.service.job_name import JOB
from messaging.service.log_setup import print_worker_line
from messaging.service.process import set_up_process
from messaging.service.state_file import RunningService
from messaging.streaming.api import StreamingError, WorkerLost
from messaging.streaming.ops.detached_actor import (
    DetachedActor,
    Reconciled,
    find_detached_actor,
    start_detached_actor,
)
from messaging.streaming.ray.local import local_cluster

# An autoscaler may have to start nodes first, which takes minutes.
READY_SECONDS = 300.0
ANSWER_SECONDS = 120.0
PAUSE_SECONDS = 0.3


class ClusterService:
    """The service of the cluster that this process has joined."""

    def __init__(self) -> None:
        self._supervisor: DetachedActor | None = None

    def bring_up(self, gateway: Gateway, make: Callable[[], Reconciled]) -> RunningService:
        """Return when the service runs with these settings. One with other settings is drained and ended first.

        `make` makes the supervisor. It carries all settings with it, secrets too, so the cluster's tables and its
        object store hold them. Raises Unavailable with the problem; the supervisor then goes on trying.
        """
        settings = gateway.settings
        if _ask_patiently("serves", gateway) is False:
            self.take_down(settings)
        self._supervisor = start_detached_actor(
            JOB, make, partial(set_up_process, settings), settings.worker_cpus
        )
        deadline = time.monotonic() + READY_SECONDS
        problem = "it is starting"
        while time.monotonic() < deadline:
            try:
                running = self.report()
            except Unavailable as error:
                running, problem = None, error.reason
            if running is not None:
                if running.state == "running":
                    return running
                problem = running.problem
            time.sleep(PAUSE_SECONDS)
        raise Unavailable(
            f"the service does not run yet, and its supervisor goes on trying: {problem}"
        )

    def report(self) -> RunningService | None:
        """Return the state of the service; None when there is none. Raises Unavailable without an answer."""
        try:
            self._supervisor = self._supervisor or find_detached_actor(JOB)
            if self._supervisor is None:
                return None
            running: RunningService = self._supervisor.ask("report")
        except StreamingError as error:
            self._supervisor = None
            raise Unavailable(f"the supervisor does not answer ({error})") from None
        return replace(running, pid=os.getpid(), at=time.time())

    def take_down(self, settings: Settings) -> bool | None:
        """Drain and end the service; return whether all work was settled, None when there is none.

        Raises Unavailable.
        """
        if _ask_patiently("report") is None or (found := find_detached_actor(JOB)) is None:
            return None
        patience = settings.unready_seconds + settings.drain_seconds + ANSWER_SECONDS
        settled: bool = found.ask("stop", seconds=patience)
        found.end()
        return settled


@contextmanager
def join_cluster(address: str) -> Iterator[ClusterService]:
    """Join the cluster at `address` and leave it again. Raises Unavailable when there is none, or it breaks."""
    try:
        with local_cluster(address, JOB.namespace, output=print_worker_line):
            yield ClusterService()
    except StreamingError as error:
        raise Unavailable(f"Ray: {error}") from None


def _ask_patiently(method: str, *arguments: Any) -> Any:
    """Ask the supervisor, and wait for one that is being restarted; None when there is none. Raises WorkerLost."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while (found := find_detached_actor(JOB)) is not None:
        try:
            return found.ask(method, *arguments, seconds=deadline - time.monotonic())
        except WorkerLost:
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_SECONDS)
    return None
