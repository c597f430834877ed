"""The TCP server for messages to modems over DirectIP, with every status and a queue of 50 for each modem."""

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Final

from messaging.simulator.directip.wire import (
    FLUSH,
    NUMBER_IS_OURS,
    RING_ALERT_ONLY,
    DirectIpRequest,
    request_of,
)
from messaging.simulator.shared.faults import Dice
from messaging.simulator.shared.modems import QUEUED, Modems

FIXTURE_PREFIX: Final = "3000000000000"
STATUSES: Final = frozenset(range(-12, 0))
QUEUE_LENGTH: Final = 50
MAX_PACKET_BYTES: Final = 270
FIRST_REFERENCE: Final = 58_472
READ_SECONDS: Final = 30.0
STATUS_OF_HTTP: Final[Mapping[int, int]] = {400: -7, 401: -10, 403: -10, 404: -2, 429: -5}
"""HTTP status of a fault → status of DirectIP; every other one is -6."""


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, host: str, port: int, serve: Callable[[socket.socket], None]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._serve = serve
        super().__init__((host, port), socketserver.BaseRequestHandler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection, in a thread of its own."""
        request.settimeout(READ_SECONDS)
        self._serve(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that hang up."""


class DirectIpGateway:
    """A context manager that serves on `host:port` (port 0: a free one). Raises OSError when the port is in use.

    A message to the IMEI `3000000000000NN` has the status -NN.
    """

    def __init__(self, modems: Modems, dice: Dice, host: str = "127.0.0.1", port: int = 0) -> None:
        self._modems = modems
        self._dice = dice
        self._lock = threading.Lock()
        self._server = _Tcp(host, port, self._serve)
        name, number = self._server.socket.getsockname()[:2]
        self.address = f"[{name}]:{number}" if ":" in name else f"{name}:{number}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> "DirectIpGateway":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _serve(self, connection: socket.socket) -> None:
        faults = self._dice.faults
        time.sleep(faults.latency_seconds)
        if self._dice.happens(faults.refuse_rate):
            return
        request = request_of(_frame(connection))
        if request is None:
            return
        if self._dice.happens(faults.hang_before_rate):
            return _hang(connection, faults.hang_seconds)
        status = self._error_status()
        answer = self._queue(request) if status is None else request.answer(0, status)
        if self._dice.happens(faults.hang_after_rate):
            return _hang(connection, faults.hang_seconds)
        garbage = self._dice.happens(faults.garbage_rate)
        connection.sendall(b"<html>}{ nonsense" if garbage else answer)

    def _error_status(self) -> int | None:
        """Return the status of a fault in place of the real one, if any."""
        faults = self._dice.faults
        if self._dice.over_rate_limit():
            return STATUS_OF_HTTP[429]
        if self._dice.happens(faults.error_rate):
            return STATUS_OF_HTTP.get(faults.error_status, -6)
        return None

    def _queue(self, request: DirectIpRequest) -> bytes:
        with self._lock:
            status = self._objection(request)
            if status is not None:
                return request.answer(0, status)
            imei = request.imei.decode()
            if request.flags & FLUSH:
                self._modems.flush(imei)
            if not request.payload:
                return request.answer(0, 0)
            place = self._waiting(imei) + 1
            number = self._modems.queue(imei, request.payload, f"priority {request.priority}")
            return request.answer(FIRST_REFERENCE + number, place)

    def _objection(self, request: DirectIpRequest) -> int | None:
        """Return the status of the first error; None without one."""
        imei = request.imei.decode("ascii", "replace")
        fixture = imei.removeprefix(FIXTURE_PREFIX)
        if not imei.isdecimal():
            return -1
        if imei != fixture and -int(fixture) in STATUSES:
            return -int(fixture)
        if self._modems.get(imei) is None:
            return -2
        flushes = request.flags & FLUSH
        if request.payload and not flushes and self._waiting(imei) >= QUEUE_LENGTH:
            return -5
        return _payload_error(request)

    def _waiting(self, imei: str) -> int:
        downlinks = self._modems.downlinks()
        return sum(one.imei == imei and one.state == QUEUED for one in downlinks)


def _payload_error(request: DirectIpRequest) -> int | None:
    ring_only = request.flags & RING_ALERT_ONLY
    ours = request.flags & NUMBER_IS_OURS
    if ring_only and (request.payload or ours):
        return -7
    if len(request.payload) > MAX_PACKET_BYTES:
        return -3
    if not request.payload and not ring_only and not request.flags & FLUSH:
        return -4
    number = int.from_bytes(request.client_id, "big")
    return -11 if ours and not 1 <= number <= 65_535 else None


def _hang(connection: socket.socket, seconds: float) -> None:
    """Send no answer until the caller hangs up, or the time has passed."""
    connection.settimeout(seconds)
    with suppress(OSError):
        connection.recv(1)


def _frame(connection: socket.socket) -> bytes:
    """Read one frame, or its beginning until the caller hangs up."""
    data = b""
    while len(data) < 3 or len(data) < 3 + int.from_bytes(data[1:3], "big"):
        piece = connection.recv(65_536)
        if not piece:
            break
        data += piece
    return data
