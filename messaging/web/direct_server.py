"""Serves the web application without Ray Serve: a server in this process, behind the checks of Serve's proxy."""

import asyncio
import logging
import socket
import threading
from collections import Counter
from collections.abc import Callable
from typing import ClassVar, Final

import uvicorn
from starlette.types import ASGIApp

from messaging.config.settings import Listen
from messaging.errors import Unavailable
from messaging.web.front.bodies import BodyRoom, BoundedBodies
from messaging.web.front.connections import BoundedProtocol
from messaging.web.front.limits import BODY_SECONDS, ROOM_BYTES, max_body_bytes
from messaging.web.front.serve_proxy import ServeFront
from messaging.web.front.server import QuietServer

log = logging.getLogger(__name__)

BACKLOG: Final = 1000
IDLE_SECONDS: Final = 90
"""How long a connection stays open between two requests; as long as in Serve's proxy."""


class DirectProtocol(BoundedProtocol):
    """The connections of the public port, counted apart from those of the admin in the same process."""

    clients: ClassVar[Counter[str]] = Counter()


class DirectServer:
    """Serves an application on `listen`, on a thread with an event loop of its own: no slow request delays mail.

    `build` is called at the first start. A stop waits up to `stop_seconds` for requests in work.
    """

    def __init__(
        self, listen: Listen, build: Callable[[], ASGIApp], stop_seconds: float = 5.0
    ) -> None:
        self._listen = listen
        self._build = build
        self._stop_seconds = stop_seconds
        self._app: ASGIApp | None = None
        self._server: QuietServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Return when the port takes connections. Raises Unavailable when nothing can listen there."""
        if self._app is None:
            room = BodyRoom(ROOM_BYTES)
            front = ServeFront(self._build())
            self._app = BoundedBodies(front, max_body_bytes, BODY_SECONDS, room)
        family = socket.AF_INET6 if ":" in self._listen.host else socket.AF_INET
        address = (self._listen.host, self._listen.port)
        try:
            listener = socket.create_server(address, family=family, backlog=BACKLOG)
        except OSError as error:
            where = f"cannot listen on {self._listen}: {error.strerror}"
            raise Unavailable(f"SATBRIDGE_HTTP_LISTEN: {where}") from None
        config = uvicorn.Config(
            self._app,
            http=DirectProtocol,
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            backlog=BACKLOG,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=max(1, int(self._stop_seconds)),
        )
        self._server = QuietServer(config)
        self._thread = threading.Thread(
            target=self._serve, args=(self._server, listener), name="http", daemon=True
        )
        self._thread.start()

    def stands(self) -> bool:
        """Whether its thread lives."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Stop to listen, and wait for requests in work."""
        if self._server is not None and self._thread is not None:
            self._server.end()
            self._thread.join(self._stop_seconds + 1)

    @staticmethod
    def _serve(server: QuietServer, listener: socket.socket) -> None:
        with listener:
            asyncio.run(server.serve(sockets=[listener]))
