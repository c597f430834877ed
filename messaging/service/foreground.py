"""The service in the foreground on one machine: its start, rounds, report and end, with Ray or without."""

import logging
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib import import_module
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self

from messaging.config.settings import Settings
from messaging.errors import ConfigurationError, Unavailable
from messaging.gateway import Gateway
from messaging.mail.smtp.tls import load_certificate
from messaging.satellite.account import ListeningAccount
from messaging.service.lifecycle import Instances, Lifecycle, WebServer
from messaging.service.ports import check_port
from messaging.service.reload import Reloader
from messaging.service.state_file import RunningService, StateFile, sole_service
from messaging.store.db.health import open_ready_store
from messaging.store.db.room import store_room_problem
from messaging.streaming.api import StreamingError

log = logging.getLogger(__name__)

READY_SECONDS = 180.0
RETRY_SECONDS = 1.0
PAUSE_SECONDS = 0.2
EXIT_SECONDS = 5.0

# By name, since the first of them loads Ray.
_SERVICES = {
    "ray": ("messaging.service.local", "Service"),
    "inline": ("messaging.service.inline.service", "InlineService"),
}


class OwnedInstances(Instances, Protocol):
    """The instances that belong to this process, and end with it."""

    @property
    def has_job(self) -> bool:
        """Whether `look` has started them."""

    def set_log_level(self, level: str) -> None:
        """Let this process, and from the next `look` on all instances, log from this level on."""

    def set_limits(self, limits: Mapping[str, Any]) -> None:
        """Let the routers decide by these values of `LIVE_FIELDS` from the next `look` on."""


class ForegroundService(ABC):
    """The running gateway, a context manager. Entering returns when it accepts mail and webhooks.

    Entering raises ConfigurationError, or Unavailable, in one sentence. Leaving drains, within the `drain_seconds` of
    the settings, and stops; `settled` then says whether everything in work was settled. `lost` is the sentence about a
    service of which no worker answers any more.
    """

    lost: ClassVar[str]

    def __init__(self, gateway: Gateway, instances: OwnedInstances, web: WebServer) -> None:
        self._gateway = gateway
        self._exits = ExitStack()
        self._instances = instances
        self._lifecycle = Lifecycle(gateway, instances, web)
        self._state_file = StateFile(gateway.settings.state_dir)
        self._lost_since: float | None = None
        self._reloader = Reloader(gateway, instances.set_log_level, instances.set_limits)
        self._reloads, self._reload = 0, ""
        self.settled = False

    @abstractmethod
    def enter_runtime(self, exits: ExitStack) -> None:
        """Start what the instances and the web server need, and let `exits` end it. Raises StreamingError."""

    def __enter__(self) -> Self:
        settings = self._gateway.settings
        with ExitStack() as exits:
            exits.enter_context(sole_service(settings.state_dir))
            self._check_ports()
            load_certificate(self._gateway.smtp)  # mail-in would end again and again
            _open_store_with_room(settings)
            log.info("starting; this takes some seconds")
            try:
                self.enter_runtime(exits)
                exits.callback(self.stop)
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
        """For how long no worker has answered. Workers that died are started again; a runtime that is gone is not."""
        return 0.0 if self._lost_since is None else time.monotonic() - self._lost_since

    def stop(self) -> None:
        """Drain and stop, as far as any worker answers."""
        if not self._instances.has_job or self.silent_seconds:
            self._lifecycle.web.close()
            return
        self.settled = self._lifecycle.stop(self._announce)

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

    def _announce(self) -> None:
        running = replace(self._lifecycle.report(), workers=self._instances.look())
        self._state_file.write(running)


def service_of(gateway: Gateway) -> ForegroundService:
    """Return the service of the runtime that the settings name. Loads Ray only where it is used."""
    module, name = _SERVICES[gateway.settings.runtime]
    make: Callable[[Gateway], ForegroundService] = getattr(import_module(module), name)
    return make(gateway)


@contextmanager
def end_in_time(gateway: Gateway) -> Iterator[None]:
    """Let this process end some seconds after the context, with code 1 if threads of the pipeline still hang.

    On Ray they are in other processes, which are ended.
    """
    try:
        yield
    finally:
        if gateway.settings.runtime == "inline":
            timer = threading.Timer(EXIT_SECONDS, os._exit, [1])
            timer.daemon = True
            timer.start()


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
