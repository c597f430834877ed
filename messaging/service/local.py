"""The service in the foreground on one machine, with a Ray cluster of its own."""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from threading import Event
from types import TracebackType
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_fixed
from tenacity.nap import sleep_using_event
from tenacity.stop import stop_after_delay, stop_when_event_set

from messaging.config.settings import Settings
from messaging.errors import ConfigurationError, Unavailable
from messaging.gateway import Gateway
from messaging.mail.smtp.tls import load_certificate
from messaging.pipeline import HTTP_IN, MAIL_IN, declare
from messaging.satellite.account import ListeningAccount
from messaging.service.job_name import JOB
from messaging.service.lifecycle import Lifecycle, WebServer
from messaging.service.log_setup import print_worker_line, set_log_level
from messaging.service.ports import check_port
from messaging.service.process import set_up_process, set_up_worker
from messaging.service.reload import Reloader
from messaging.service.state_file import RunningService, StateFile, sole_service
from messaging.store.db.health import open_ready_store
from messaging.store.db.room import store_room_problem
from messaging.store.live_settings import change_live_settings
from messaging.streaming.api import Graph, StreamingError
from messaging.streaming.ops.silence import SilenceJudge
from messaging.streaming.ray.job import RayJob, process_rows
from messaging.streaming.ray.launch import submit
from messaging.streaming.ray.local import RAY_LOGS, local_cluster
from messaging.web.deployment import serve_environment, start_edge

log = logging.getLogger(__name__)

READY_SECONDS = 180.0
# On a machine that is busy with other things each process takes half a minute to start, and a dozen start at once.
WEB_SECONDS = 300.0
WORKER_SECONDS = 300.0
RETRY_SECONDS = 1.0
PAUSE_SECONDS = 0.2


class Service:
    """The running gateway, a context manager. Entering returns when it accepts mail and webhooks.

    Entering raises ConfigurationError, or Unavailable, in one sentence. Leaving drains, within the `drain_seconds` of
    the settings, and stops; `settled` then says whether everything in work was settled.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._exits = ExitStack()
        self._instances = OwnInstances(gateway, declare(gateway))
        set_up = partial(set_up_process, gateway.settings)
        graph = self._instances.graph
        start_web = partial(start_edge, gateway, JOB, graph, HTTP_IN, MAIL_IN, set_up)
        self._given_up = Event()
        web = WebServer(partial(start_patiently, start_web, self._given_up), watch=False)
        self._lifecycle = Lifecycle(gateway, self._instances, web)
        self._state_file = StateFile(gateway.settings.state_dir)
        self._lost_since: float | None = None
        self._reloader = Reloader(
            gateway, self._instances.set_log_level, self._instances.set_limits
        )
        self._reloads, self._reload = 0, ""
        self.settled = False

    def __enter__(self) -> "Service":
        settings = self._gateway.settings
        with ExitStack() as exits:
            exits.enter_context(sole_service(settings.state_dir))
            self._check_ports()
            load_certificate(self._gateway.smtp)  # mail-in would end again and again
            _open_store_with_room(settings)
            log.info("starting; this takes some seconds")
            exits.enter_context(serve_environment(settings))
            try:
                cluster = local_cluster(namespace=JOB.namespace, output=print_worker_line)
                exits.enter_context(cluster)
                exits.callback(self._stop)
                self._start()
            except StreamingError as error:
                raise Unavailable(f"the service cannot start: {error}") from None
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exits.close()

    def look(self) -> RunningService:
        """Do a round of the lifecycle, and write the report into the state folder."""
        self._lifecycle.look()
        running = replace(self._lifecycle.report(), reloads=self._reloads, reload=self._reload)
        if not running.workers or not all(row.get("lost") for row in running.workers):
            self._lost_since = None
        elif self._lost_since is None:
            self._lost_since = time.monotonic()
        self._state_file.write(running)
        return running

    def reload(self) -> None:
        """Read the settings again, as far as they can change while the service runs; the next report has the result."""
        self._reload = self._reloader.reload()
        self._reloads += 1

    @property
    def silent_seconds(self) -> float:
        """For how long no worker has answered. Ray restarts workers; a cluster that is gone does not come back."""
        return 0.0 if self._lost_since is None else time.monotonic() - self._lost_since

    def _check_ports(self) -> None:
        smtp = self._gateway.smtp
        check_port("SATBRIDGE_SMTP_LISTEN", smtp.listen)
        if smtp.proxy_listen:
            check_port("SATBRIDGE_SMTP_PROXY_LISTEN", smtp.proxy_listen)
        check_port("SATBRIDGE_HTTP_LISTEN", self._gateway.settings.http_listen)
        for account in self._gateway.satellites.values():
            if isinstance(account, ListeningAccount):
                check_port(account.variable("listen"), account.listen)

    def _start(self) -> None:
        """Return when the service runs. Raises what ends the start of the web server."""
        running = self.look()  # returns when the workers stand; the web server starts meanwhile
        deadline = time.monotonic() + READY_SECONDS
        while running.state != "running":
            if error := self._lifecycle.web.error:
                raise error
            if not running.mail and time.monotonic() > deadline:
                raise ConfigurationError(running.problem)
            time.sleep(PAUSE_SECONDS)
            running = self.look()

    def _stop(self) -> None:
        self._given_up.set()  # the thread of a start that failed is waited for
        if self._instances.submitted is None or self.silent_seconds:
            self._lifecycle.web.close()
            return  # no worker answers
        self.settled = self._lifecycle.stop(self._announce)

    def _announce(self) -> None:
        running = replace(self._lifecycle.report(), workers=self._instances.look())
        self._state_file.write(running)


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


def _open_store_with_room(settings: Settings) -> None:
    """Open the store; wait while its disk is full, as a gateway that runs does. Raises ConfigurationError."""
    says_so = True
    while True:
        try:
            open_ready_store(settings)
        except ConfigurationError as error:
            if not store_room_problem(settings):
                raise
            if says_so:
                log.error("%s; waiting for room", error)
            says_so = False
            time.sleep(RETRY_SECONDS)
        else:
            return


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
