"""The service on a Ray cluster: handed to its supervisor there, and found again by whoever joins the cluster."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from messaging.config.settings import Settings
from messaging.errors import Unavailable
from messaging.gateway import Gateway
from messaging.service.process import set_up_process
from messaging.service.state_file import RunningService
from messaging.service.supervisor import JOB, Report, Supervisor
from messaging.streaming.api import StreamingError, WorkerLost
from messaging.streaming.ops.detached_actor import (
    DetachedActor,
    find_detached_actor,
    start_detached_actor,
)
from messaging.streaming.ray.local import local_cluster

# An autoscaler may have to start nodes first, which takes minutes.
READY_SECONDS = 300.0
ANSWER_SECONDS = 120.0
PAUSE_SECONDS = 0.3


class ClusterService:
    """The service of the cluster that this process has joined, whoever started it."""

    def __init__(self) -> None:
        self._resident: DetachedActor | None = None

    def bring_up(self, gateway: Gateway) -> RunningService:
        """Return when the service runs with these settings; what runs with others is drained and ended first.

        The supervisor carries all settings with it, secrets too, so a cluster's tables and its object store hold
        them. Raises Unavailable, with what is in the way; the supervisor then goes on trying.
        """
        settings = gateway.settings
        if _patiently("serves", gateway) is False:
            self.take_down(settings)
        set_up = partial(set_up_process, settings)
        self._resident = start_detached_actor(
            JOB, partial(Supervisor, gateway), set_up, settings.worker_cpus
        )
        return self._wait_until_running()

    def report(self) -> RunningService | None:
        """How the service is; None when there is none. Raises Unavailable when nobody can say."""
        try:
            self._resident = self._resident or find_detached_actor(JOB)
            if self._resident is None:
                return None
            return _running(self._resident.ask("report"))
        except StreamingError as error:
            self._resident = None
            raise Unavailable(f"the supervisor does not answer ({error})") from None

    def take_down(self, settings: Settings) -> bool | None:
        """Drain and end the service; whether all in work was settled, None when there is none. Raises Unavailable."""
        there = _patiently("report") is not None
        found = find_detached_actor(JOB) if there else None
        return None if found is None else _end(found, settings)

    def _wait_until_running(self) -> RunningService:
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


@contextmanager
def join_cluster(address: str) -> Iterator[ClusterService]:
    """Join the cluster at `address` and leave it again. Raises Unavailable when there is none, or it breaks."""
    try:
        with local_cluster(address, JOB.namespace):
            yield ClusterService()
    except StreamingError as error:
        raise Unavailable(f"Ray: {error}") from None


def _patiently(method: str, *arguments: Any) -> Any:
    """Ask the supervisor, waiting for one that is just being started again; None when there is none."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while (found := find_detached_actor(JOB)) is not None:
        try:
            return found.ask(method, *arguments, seconds=deadline - time.monotonic())
        except WorkerLost:
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_SECONDS)
    return None


def _end(resident: DetachedActor, settings: Settings) -> bool:
    patience = settings.unready_seconds + settings.drain_seconds + ANSWER_SECONDS
    settled: bool = resident.ask("stop", seconds=patience)
    resident.end()
    return settled


def _running(report: Report) -> RunningService:
    return RunningService(
        pid=os.getpid(),
        state=report.state,
        mail=report.mail,
        http=report.http,
        since=report.since,
        at=time.time(),
        workers=report.workers,
        problem=report.problem,
    )
