"""Bounds the HTTP connections of a process: their number, and the time until a request is there."""

import asyncio
from collections import Counter
from ipaddress import ip_address
from typing import Any, ClassVar, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from messaging.web.front.answers import RETRY_AFTER_SECONDS
from messaging.web.front.limits import (
    HEAD_SECONDS,
    MAX_CONNECTIONS,
    MAX_CONNECTIONS_PER_CLIENT,
)

_FULL: Final = (
    "HTTP/1.1 503 Service Unavailable\r\n"
    f"Retry-After: {RETRY_AFTER_SECONDS}\r\n"
    "Content-Length: 0\r\n"
    "Connection: close\r\n\r\n"
).encode()


class BoundedProtocol(HttpToolsProtocol):
    """Uvicorn's connection with bounds, and without its name in the answers.

    Above `max_connections`, or `max_per_client` from one public address, a connection is answered 503 and closed.
    One whose request head is not complete within `head_seconds` is closed.
    """

    max_connections = MAX_CONNECTIONS
    max_per_client = MAX_CONNECTIONS_PER_CLIENT
    head_seconds = HEAD_SECONDS
    clients: ClassVar[Counter[str]] = Counter()

    _head_timer: asyncio.TimerHandle | None = None
    _host = ""

    def connection_made(self, transport: Any) -> None:
        """Count the connection; start to wait for its first request."""
        super().connection_made(transport)
        self._host = self.client[0] if self.client else ""
        self.clients[self._host] += 1
        is_full = len(self.connections) > self.max_connections
        if is_full or self.clients[self._host] > self._max_of_client():
            transport.write(_FULL)
            transport.close()
            return
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection off."""
        self._stop_waiting()
        self.clients[self._host] -= 1
        if self.clients[self._host] <= 0:
            del self.clients[self._host]
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Wait for the head of a further request; uvicorn itself only bounds the silence between two."""
        super().on_message_begin()
        if self._head_timer is None:
            self._wait_for_head()

    def on_headers_complete(self) -> None:
        """End the wait."""
        self._stop_waiting()
        named = self.server_state.default_headers
        self.server_state.default_headers = [pair for pair in named if pair[0] != b"server"]
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Read on, unless the connection is being closed."""
        if not self.transport.is_closing():
            super().data_received(data)

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _max_of_client(self) -> int:
        try:
            is_public = ip_address(self._host).is_global
        except ValueError:
            is_public = False
        return self.max_per_client if is_public else self.max_connections
