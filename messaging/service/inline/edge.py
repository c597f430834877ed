"""The web server and the admin of a gateway in one process."""

import logging
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from starlette.types import ASGIApp

from messaging.config.settings import Listen
from messaging.gateway import Gateway
from messaging.model.message import Emit
from messaging.pipeline import HTTP_IN, MAIL_IN
from messaging.streaming.api import StreamingError, WorkerLost
from messaging.streaming.runtime.process_job import ProcessJob
from messaging.web.admin_server import AdminServer, admin_app
from messaging.web.app import build_app
from messaging.web.direct_server import DirectServer
from messaging.web.metrics_route import MetricsSource
from messaging.web.readiness import receiver_readiness

log = logging.getLogger(__name__)

PROBE_SECONDS = 3.0


class InlineEdge:
    """The web server and the admin of this process, each on a thread of its own.

    `job` returns the pipeline, which they feed and ask; it raises StreamingError before the start of the pipeline.
    """

    def __init__(self, gateway: Gateway, job: Callable[[], ProcessJob]) -> None:
        self._gateway = gateway
        self._job = job
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

        async def receiver_status() -> Mapping[str, Any]:
            for row in await self._job().read_status(PROBE_SECONDS):
                if row["stage"] == MAIL_IN and not row.get("lost"):
                    return row
            raise WorkerLost(MAIL_IN)

        async def workers() -> list[dict[str, Any]]:
            try:
                return await self._job().read_status(PROBE_SECONDS)
            except StreamingError:
                return []

        replica = uuid.uuid4().hex[:8]
        measured = MetricsSource(tuple(gateway.capacity), replica, workers, settings.lease_seconds)
        ready = receiver_readiness(receiver_status, self._inlet(PROBE_SECONDS))
        emit = self._inlet(settings.accept_seconds)
        return build_app(settings, gateway.sms, gateway.satellites, emit, ready, measured)

    def _inlet(self, patience_seconds: float) -> Emit:
        """Return a function that opens the inlet at its first record: the web server may start before the job."""
        opened: list[Emit] = []

        async def emit(record: Any) -> None:
            if not opened:
                opened.append(self._job().inlet(HTTP_IN, patience_seconds))
            await opened[0](record)

        return emit
