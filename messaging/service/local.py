"""The service in the foreground on one machine, with a Ray cluster of its own."""

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from threading import Event
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_fixed
from tenacity.nap import sleep_using_event
from tenacity.stop import stop_after_delay, stop_when_event_set

from messaging.errors import Unavailable
from messaging.gateway import Gateway
from messaging.pipeline import HTTP_IN, MAIL_IN, declare
from messaging.service.foreground import RETRY_SECONDS, ForegroundService
from messaging.service.job_name import JOB
from messaging.service.lifecycle import WebServer
from messaging.service.log_setup import print_worker_line, set_log_level
from messaging.service.process import set_up_log, set_up_process, set_up_worker
from messaging.store.live_settings import change_live_settings
from messaging.streaming.api import Graph, StreamingError
from messaging.streaming.ops.silence import SilenceJudge
from messaging.streaming.ray.job import RayJob, process_rows
from messaging.streaming.ray.launch import submit
from messaging.streaming.ray.local import RAY_LOGS, local_cluster
from messaging.web.deployment import edge_stands, start_edge, stop_edge
from messaging.web.direct_edge import DirectEdge
from messaging.web.haproxy.environment import serve_environment

log = logging.getLogger(__name__)

# On a machine that is busy with other things each process takes half a minute to start, and a dozen start at once.
WEB_SECONDS = 300.0
WORKER_SECONDS = 300.0


class Service(ForegroundService):
    """See ForegroundService."""

    lost = "the Ray cluster is gone: no worker answers any more; start the gateway again"

    def __init__(self, gateway: Gateway) -> None:
        set_up_log(gateway.settings)  # again: Ray, loaded since, has put a handler of its own there
        instances = OwnInstances(gateway, declare(gateway))
        set_up = partial(set_up_process, gateway.settings)
        arguments = gateway, JOB, instances.graph, HTTP_IN, MAIL_IN, set_up
        self._given_up = Event()
        if gateway.settings.http == "direct":
            edge = DirectEdge(*arguments)
            start = partial(start_patiently, edge.start, self._given_up)
            web = WebServer(start, edge.stands, edge.stop)
        else:
            start = partial(start_patiently, partial(start_edge, *arguments), self._given_up)
            web = WebServer(start, edge_stands, stop_edge, watch=False)
        super().__init__(gateway, instances, web)

    def enter_runtime(self, exits: ExitStack) -> None:
        """Start the cluster."""
        exits.enter_context(serve_environment(self._gateway.settings))
        exits.enter_context(local_cluster(namespace=JOB.namespace, output=print_worker_line))

    def stop(self) -> None:
        """See ForegroundService."""
        self._given_up.set()  # the thread of a start that failed is waited for
        super().stop()


class OwnInstances:
    """The instances that belong to this process, and end with it.

    Ray restarts those that die. Those that are stopped or hang are ended here, so that Ray restarts them too.
    """

    def __init__(self, gateway: Gateway, graph: Graph) -> None:
        self.graph = graph
        self.submitted: RayJob | None = None
        self._settings = gateway.settings
        self._silence = SilenceJudge(start_seconds=WORKER_SECONDS)
        # Applies the changes of a reload in a process; `_with_changes` has the processes that have them.
        self._changes: dict[str, Callable[[], object]] = {}
        self._with_changes: set[int] = set()

    @property
    def has_job(self) -> bool:
        """Whether `look` has started them."""
        return self.submitted is not None

    @property
    def job(self) -> RayJob:
        """Return the job. Raises StreamingError before the first `look`."""
        if self.submitted is None:
            raise StreamingError("the job has not been submitted")
        return self.submitted

    def look(self) -> list[dict[str, Any]]:
        """Start all instances the first time, restart what is stuck, and return the status of each."""
        if self.submitted is None:
            set_up = partial(set_up_worker, self._settings)
            patience = self._settings.accept_seconds
            self.submitted = submit(JOB, self.graph, patience_seconds=patience, set_up=set_up)
        by_process = self.submitted.status_by_process()
        rows = [row for some in by_process.values() for row in some]
        for name in self._silence.overdue(list(process_rows(by_process).values())):
            log.warning("%s does not answer: it is started again", name)
            self.submitted.restart(name)
        pids = {row["pid"] for row in rows if "pid" in row}
        # A process that was started again has the settings of the start.
        if self._changes and pids - self._with_changes:
            for change in self._changes.values():
                self.submitted.run_in_all(change)
            self._with_changes = pids
        return rows

    def set_log_level(self, level: str) -> None:
        """Let this process, and from the next `look` on all instances, log from this level on."""
        set_log_level(level)
        self._changes["level"], self._with_changes = partial(set_log_level, level), set()

    def set_limits(self, limits: Mapping[str, Any]) -> None:
        """Let the routers decide by these values of `LIVE_FIELDS` from the next `look` on."""
        self._changes["limits"] = partial(change_live_settings, limits)
        self._with_changes = set()


def start_patiently(
    start: Callable[[], None], given_up: Event, seconds: float = WEB_SECONDS
) -> None:
    """Call `start` again while it raises Unavailable, for so many seconds; then raise Unavailable.

    When `given_up` is set, no further try is made.
    """
    tries = Retrying(
        retry=retry_if_exception_type(Unavailable),
        stop=stop_after_delay(seconds) | stop_when_event_set(given_up),
        wait=wait_fixed(RETRY_SECONDS),
        sleep=sleep_using_event(given_up),
        before_sleep=_log_try,
        reraise=True,
    )
    try:
        tries(start)
    except Unavailable as error:
        raise Unavailable(
            f"the service cannot start: {error.reason}, not after {tries.statistics['attempt_number']} tries either."
            f" The machine may be too busy: start the gateway again when it has more processor time."
            f" Ray's logs are in {RAY_LOGS}"
        ) from None


def _log_try(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("the web server is slow to start: %s; trying again", error)
