"""Runs an ASGI application on a real socket, in a thread of this process."""

import asyncio
import socket
import threading
from types import TracebackType
from typing import Any

import uvicorn

START_SECONDS = 20.0


class Serving:
    """A context manager that serves `app` on `host:port` (port 0: a free one) at `url`.

    Creating it raises OSError when the port is in use. Leaving closes the socket and ends the thread.
    """

    def __init__(self, app: Any, host: str = "127.0.0.1", port: int = 0) -> None:
        self._socket = socket.create_server((host, port), backlog=1024)
        # asyncio sets this on its own listeners only; without it every answer waits 40 ms for an acknowledgement.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name, number = self._socket.getsockname()[:2]
        self.port = int(number)
        self.url = f"http://{name}:{number}"
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._server.serve(sockets=[self._socket])),
            name=f"serving-{number}",
            daemon=True,
        )

    def __enter__(self) -> "Serving":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(START_SECONDS)
        self._socket.close()

    def wait(self) -> None:
        """Block until the server ends."""
        self._thread.join()
