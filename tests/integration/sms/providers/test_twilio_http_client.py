"""Which failures of a request are harmless and which leave its fate open, over real sockets."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from messaging.errors import GatewayError, Unavailable, Uncertain
from messaging.sms.providers.twilio.client import TWILIO_URL, TwilioHttpClient
from tests.support.closed_port import closed_port

Serve = Callable[[socket.socket], None]


def answer(data: bytes) -> Serve:
    """Read one request and answer with these bytes."""

    def serve(connection: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536)
        connection.sendall(data)

    return serve


def silence(connection: socket.socket) -> None:
    """Read until the client gives up, and say nothing."""
    while connection.recv(65536):
        pass


@contextlib.contextmanager
def server(serve: Serve) -> Iterator[str]:
    """A server for one connection that behaves as `serve` does."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                serve(connection)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _failure(method: str, api_url: str) -> GatewayError:
    async def request() -> None:
        http = TwilioHttpClient(api_url, 0.9)
        try:
            await http.request(method, f"{TWILIO_URL}/2010-04-01/x", data={"a": "b"})
        finally:
            await http.aclose()

    with pytest.raises(GatewayError) as caught:
        asyncio.run(request())
    return caught.value


def _status(line: str, headers: str = "") -> Serve:
    return answer(f"HTTP/1.1 {line}\r\n{headers}Content-Length: 0\r\n\r\n".encode())


@pytest.mark.parametrize(
    "serve",
    [
        silence,
        answer(b""),
        answer(b"\x00garbage\r\n\r\n"),
        answer(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\nhalf"),
        answer(b"HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhalf"),
        _status("500 Oh"),
        _status("503 Away", "Retry-After: 3\r\n"),
        _status("504 Late"),
    ],
    ids=["silence", "closed", "garbage", "half", "bad encoding", "500", "503", "504"],
)
def test_a_post_without_a_proper_answer_is_uncertain_and_a_get_is_harmless(serve: Serve) -> None:
    with server(serve) as url:
        assert type(_failure("POST", url)) is Uncertain
    with server(serve) as url:
        assert type(_failure("GET", url)) is Unavailable


def test_nothing_is_written_to_a_closed_port() -> None:
    with closed_port() as url:
        assert type(_failure("POST", url)) is Unavailable


@pytest.mark.parametrize(
    "api_url",
    ["http://no-such-host.invalid", "http://[broken", "http://127.0.0.1:99999"],
    ids=["no such host", "no url", "no port"],
)
def test_what_was_never_written_is_only_unavailable(api_url: str) -> None:
    assert type(_failure("POST", api_url)) is Unavailable


def test_a_connection_that_is_never_accepted_is_only_unavailable() -> None:
    # A full backlog: the kernel answers no further attempt to connect.
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = listener.getsockname()[1]
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        assert type(_failure("POST", f"http://127.0.0.1:{port}")) is Unavailable


def _in(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("wish", "least", "most"),
    [
        ("7", 7, 7),
        (3600, 3000, 3600),
        (-3600, 0, 0),
    ],
)
def test_429_is_unavailable_for_as_long_as_twilio_wishes(
    wish: str | int, least: float, most: float
) -> None:
    # A date is written now: the tests may have been collected an hour ago.
    header = f"Retry-After: {wish if isinstance(wish, str) else _in(wish)}\r\n"
    with server(_status("429 Slow", header)) as url:
        error = _failure("POST", url)
    assert isinstance(error, Unavailable)
    assert error.retry_after_seconds is not None
    assert least <= error.retry_after_seconds <= most


@pytest.mark.parametrize(
    "header", ["", "Retry-After: soon\r\n", "Retry-After: -1\r\n", "Retry-After: ²\r\n"]
)
def test_429_without_a_wish_that_makes_sense(header: str) -> None:
    with server(_status("429 Slow", header)) as url:
        error = _failure("POST", url)
    assert isinstance(error, Unavailable)
    assert error.retry_after_seconds is None
