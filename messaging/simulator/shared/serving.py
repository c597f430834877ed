"""Runs an ASGI application on a real socket in a thread of this process, and stops it."""

import asyncio
import socket
import threading
from types import TracebackType
from typing import Any

import uvicorn

START_SECONDS = 20.0


class Serving:
    """A context manager that serves `app` on `host:port` (port 0: a free one); `url` says where.

    Entering raises OSError when the port is taken. Leaving closes the socket and ends the thread.
    """

    def __init__(self, app: Any, host: str = "127.0.0.1", port: int = 0) -> None:
        self._socket = socket.create_server((host, port), backlog=1024)
        # asyncio sets it on listeners of its own only; without it every answer waits for an acknowledgement, 40 ms.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name, number = self._socket.getsockname()[:2]
        self.port = int(number)
        self.url = f"http://{name}:{number}"
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name=f"serving-{number}", daemon=True)

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

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
