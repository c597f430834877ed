"""Serves the admin on a socket of its own, apart from the port of the webhooks."""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from django.conf import settings as django_settings
from django.core.asgi import get_asgi_application

from messaging.config.settings import Listen
from messaging.store.accept.routing import Policy
from messaging.web.front.connections import BoundedProtocol
from messaging.web.front.pages import GuardedPages
from messaging.web.front.server import QuietServer

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0
BACKLOG = 100
STOP_SECONDS = 5.0


def admin_app(policy: Policy | None = None) -> Any:
    """Return Django's pages behind the checks of host, method and body. `policy` routes what people send on there."""
    django_settings.SATBRIDGE_POLICY = policy
    pages: Any = get_asgi_application()  # typed by its own ASGI types
    return GuardedPages(pages, django_settings.ALLOWED_HOSTS)


class AdminServer:
    """Serves an application on `listen`, in a thread. While the address is taken it logs that once and tries again.

    Port 8001 of a machine may belong to another program: then the gateway goes on without its admin.
    """

    def __init__(
        self, listen: Listen, build: Callable[[], Any], retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self._listen = listen
        self._retry_seconds = retry_seconds
        self._app = build()
        self._ended = threading.Event()
        self._server: QuietServer | None = None
        self._socket = self._bind(logging.ERROR)
        self._thread = threading.Thread(target=self._run, name="admin", daemon=True)
        self._thread.start()

    @property
    def runs(self) -> bool:
        """Whether the thread of the server lives."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop to listen, and wait a few seconds for requests in work."""
        self._ended.set()
        if self._server is not None:
            self._server.end()
        self._thread.join(STOP_SECONDS)

    def _bind(self, level: int = logging.DEBUG) -> socket.socket | None:
        family = socket.AF_INET6 if ":" in self._listen.host else socket.AF_INET
        address = (self._listen.host, self._listen.port)
        try:
            return socket.create_server(address, family=family, backlog=BACKLOG)
        except OSError as error:
            why = error.strerror
            log.log(level, "SATBRIDGE_ADMIN_LISTEN: cannot listen on %s: %s", self._listen, why)
            return None

    def _run(self) -> None:
        while self._socket is None:
            if self._ended.wait(self._retry_seconds):
                return
            self._socket = self._bind()
        with self._socket:
            # Headers such as X-Forwarded-For are the client's own here: any tunnel to loopback can send them.
            config = uvicorn.Config(
                self._app,
                http=BoundedProtocol,
                ws="none",
                lifespan="off",
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                timeout_graceful_shutdown=int(STOP_SECONDS),
            )
            self._server = QuietServer(config)
            if self._ended.is_set():
                self._server.end()
            asyncio.run(self._server.serve(sockets=[self._socket]))
