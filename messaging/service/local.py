"""Starts, drains, stops and reports on the whole service on one machine, with a Ray cluster of its own."""

import logging
import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from threading import Event
from types import TracebackType
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_fixed
from tenacity.nap import sleep_using_event
from tenacity.stop import stop_after_delay, stop_when_event_set

from messaging.config.settings import Listen
from messaging.errors import ConfigurationError, Unavailable
from messaging.gateway import Gateway
from messaging.mail.smtp.tls import load_certificate
from messaging.pipeline import HTTP_IN, MAIL_IN, declare
from messaging.satellite.account import ListeningAccount
from messaging.service.process import set_up_process, set_up_worker
from messaging.service.shutdown import shut_down
from messaging.service.state_file import RunningService, sole_service, write
from messaging.service.supervisor import JOB
from messaging.store.db.opening import open_ready_store
from messaging.streaming.api import StreamingError
from messaging.streaming.ray.job import RayJob
from messaging.streaming.ray.launch import submit
from messaging.streaming.ray.local import RAY_LOGS, local_cluster
from messaging.web.deployment import start_edge

log = logging.getLogger(__name__)

READY_SECONDS = 180.0
# On a machine that is busy with other things each process takes half a minute to start, and a dozen start at once.
WEB_SECONDS = 300.0
PAUSE_SECONDS = 1.0


class Service:
    """The running gateway, a context manager. Entering returns when it takes mail and webhooks.

    Entering raises ConfigurationError in one clear sentence when something is in the way. Leaving drains, within the
    `drain_seconds` of the settings, and stops; `settled` then says whether everything in work was settled.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._exits = ExitStack()
        self._job: RayJob | None = None
        self._since = time.time()
        self._lost_since: float | None = None
        self.settled = False

    def __enter__(self) -> "Service":
        settings = self._gateway.settings
        with ExitStack() as exits:
            exits.enter_context(sole_service(settings.state_dir))
            self._check_ports()
            load_certificate(self._gateway.smtp)  # mail-in would end again and again
            open_ready_store(settings)
            log.info("starting; this takes some seconds")
            try:
                exits.enter_context(local_cluster(namespace=JOB.namespace))
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

    def report(self, state: str = "running") -> RunningService:
        """Ask every worker, and tell the result to whoever looks into the state folder."""
        settings = self._gateway.settings
        workers = self._job.status() if self._job else []
        self._note_loss(workers)
        running = RunningService(
            pid=os.getpid(),
            state=state,
            mail=[str(a) for row in workers for a in row.get("listening", ())],
            http=f"http://{settings.http_listen}",
            since=self._since,
            at=time.time(),
            workers=workers,
        )
        write(settings.state_dir, running)
        return running

    @property
    def lost_seconds(self) -> float:
        """How long no worker at all has answered. Ray restarts workers, but nobody restarts a cluster that is gone."""
        return 0.0 if self._lost_since is None else time.monotonic() - self._lost_since

    def _note_loss(self, workers: list[dict[str, Any]]) -> None:
        if not workers or not all("lost" in row for row in workers):
            self._lost_since = None
        elif self._lost_since is None:
            self._lost_since = time.monotonic()

    def _check_ports(self) -> None:
        smtp = self._gateway.smtp
        _check_port("SATBRIDGE_SMTP_LISTEN", smtp.listen)
        if smtp.proxy_listen:
            _check_port("SATBRIDGE_SMTP_PROXY_LISTEN", smtp.proxy_listen)
        _check_port("SATBRIDGE_HTTP_LISTEN", self._gateway.settings.http_listen)
        for account in self._gateway.satellites.values():
            if isinstance(account, ListeningAccount):
                _check_port(account.variable("listen"), account.listen)

    def _start(self) -> None:
        settings = self._gateway.settings
        graph = declare(self._gateway)
        set_up = partial(set_up_process, settings)
        start_web = partial(start_edge, self._gateway, JOB, graph, HTTP_IN, MAIL_IN, set_up)
        given_up = Event()
        # Both take seconds, most of them spent waiting for processes to start.
        with ThreadPoolExecutor() as threads:
            edge = threads.submit(start_patiently, start_web, given_up)
            try:
                self._job = submit(
                    JOB,
                    graph,
                    patience_seconds=settings.accept_seconds,
                    set_up=partial(set_up_worker, settings),
                )
                edge.result()
            finally:
                given_up.set()  # the thread is waited for
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self.report().mail:
            if time.monotonic() > deadline:
                raise ConfigurationError("mail-in does not listen; its log says why")
            time.sleep(0.2)

    def _stop(self) -> None:
        """Readiness goes off and sources stop first; then the web server; then what is in work settles."""
        if self._job is None or self.lost_seconds:
            return  # there is nobody to ask
        self.settled = shut_down(
            self._job, self._gateway.settings, partial(self.report, "draining")
        )


def start_patiently(
    start: Callable[[], None], given_up: Event, seconds: float = WEB_SECONDS
) -> None:
    """Call `start` again while it raises Unavailable, for so many seconds; then raise Unavailable.

    When `given_up` is set, no further try is made.
    """
    tries = Retrying(
        retry=retry_if_exception_type(Unavailable),
        stop=stop_after_delay(seconds) | stop_when_event_set(given_up),
        wait=wait_fixed(PAUSE_SECONDS),
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


def _check_port(variable: str, text: str) -> None:
    """Raise ConfigurationError when nobody could listen there. Port 0 is any free port."""
    listen = Listen.parse(text)
    family: Any = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((listen.host, listen.port))
    except OSError as error:
        raise ConfigurationError(
            f"{variable}: cannot listen on {listen}: {error.strerror}"
        ) from None
