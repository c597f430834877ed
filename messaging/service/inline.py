"""The service in one process without Ray, for small machines: the pipeline, the web server and the admin."""

import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from starlette.types import ASGIApp

from messaging.config.settings import Listen
from messaging.gateway import Gateway
from messaging.pipeline import HTTP_IN, MAIL_IN, declare
from messaging.service.foreground import ForegroundService
from messaging.service.lifecycle import WebServer
from messaging.service.log_setup import set_log_level
from messaging.service.signals import defer_signals
from messaging.service.state_file import RunningService
from messaging.store.live_settings import change_live_settings
from messaging.streaming.api import StreamingError, WorkerLost
from messaging.streaming.runtime.process_job import ProcessJob
from messaging.web.admin_server import AdminServer, admin_app
from messaging.web.app import build_app
from messaging.web.direct_server import DirectServer
from messaging.web.metrics_route import MetricsSource
from messaging.web.readiness import receiver_readiness

log = logging.getLogger(__name__)

PROBE_SECONDS = 3.0


class InlineService(ForegroundService):
    """See ForegroundService."""

    lost = "the pipeline hangs: no stage answers any more; start the gateway again"

    def __init__(self, gateway: Gateway) -> None:
        instances = InlineInstances(gateway)
        self._edge = Edge(gateway, instances)
        super().__init__(
            gateway, instances, WebServer(self._edge.start, self._edge.stands, self._edge.stop)
        )

    def enter_runtime(self, exits: ExitStack) -> None:
        """See ForegroundService. Everything starts in this process."""

    def look(self) -> RunningService:
        """See ForegroundService."""
        # The main thread waits for signals. One that another thread took would not wake it.
        with defer_signals():
            return super().look()

    def stop(self) -> None:
        """See ForegroundService."""
        super().stop()
        self._edge.stop()


class InlineInstances:
    """The instances of the pipeline in this process. A source that fails is built anew."""

    def __init__(self, gateway: Gateway) -> None:
        self.running: ProcessJob | None = None
        self._graph = declare(gateway)
        self._patience_seconds = gateway.settings.accept_seconds

    @property
    def has_job(self) -> bool:
        """Whether `look` has started them."""
        return self.running is not None

    @property
    def job(self) -> ProcessJob:
        """Return the job. Raises StreamingError before the first `look`."""
        if self.running is None:
            raise StreamingError("the pipeline has not been started")
        return self.running

    def look(self) -> list[dict[str, Any]]:
        """Start all instances the first time, and return the status of each."""
        if self.running is None:
            job = ProcessJob(self._graph, self._patience_seconds)
            job.start()
            self.running = job
        return self.running.status()

    def set_log_level(self, level: str) -> None:
        """Let this process log from this level on."""
        set_log_level(level)

    def set_limits(self, limits: Mapping[str, Any]) -> None:
        """Let the routers decide by these values of `LIVE_FIELDS` from their next batch on."""
        change_live_settings(limits)


class Edge:
    """The web server and the admin of this process. Both feed and ask the pipeline from event loops of their own."""

    def __init__(self, gateway: Gateway, instances: InlineInstances) -> None:
        self._gateway = gateway
        self._instances = instances
        settings = gateway.settings
        listen = Listen.parse(settings.http_listen)
        self._server = DirectServer(listen, self._build, settings.accept_seconds)
        self._admin: AdminServer | None = None

    def start(self) -> None:
        """Return when both take connections. Raises Unavailable when the port of the web server is taken."""
        self._server.start()
        listen = self._gateway.settings.admin_address
        if listen is not None and self._admin is None:
            try:
                self._admin = AdminServer(listen, partial(admin_app, self._gateway.policy))
            except Exception as error:  # a gateway without its admin takes mail and webhooks
                log.error("the admin cannot start: %s", type(error).__name__)

    def stands(self) -> bool:
        """Whether the web server runs. The admin tries again by itself."""
        return self._server.stands()

    def stop(self) -> None:
        """Let requests in work end, and stop both."""
        self._server.stop()
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    def _build(self) -> ASGIApp:
        gateway, settings = self._gateway, self._gateway.settings
        emit = self._inlet(settings.accept_seconds)
        ready = receiver_readiness(self._receiver_status, self._inlet(PROBE_SECONDS))
        replica = uuid.uuid4().hex[:8]
        measured = MetricsSource(
            tuple(gateway.capacity), replica, self._workers, settings.lease_seconds
        )
        return build_app(settings, gateway.sms, gateway.satellites, emit, ready, measured)

    def _inlet(self, patience_seconds: float) -> Callable[[Any], Awaitable[None]]:
        """Return a function that opens the inlet at its first record: the web server may start before the job."""
        opened: list[Callable[[Any], Awaitable[None]]] = []

        async def emit(record: Any) -> None:
            if not opened:
                opened.append(self._instances.job.inlet(HTTP_IN, patience_seconds))
            await opened[0](record)

        return emit

    async def _receiver_status(self) -> Mapping[str, Any]:
        for row in await self._instances.job.read_status(PROBE_SECONDS):
            if row["stage"] == MAIL_IN and not row.get("lost"):
                return row
        raise WorkerLost(MAIL_IN)

    async def _workers(self) -> Sequence[dict[str, Any]]:
        try:
            return await self._instances.job.read_status(PROBE_SECONDS)
        except StreamingError:
            return []
