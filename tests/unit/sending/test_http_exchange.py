"""Which failures of a request are harmless, and which leave it open whether it took effect."""

import asyncio
import ssl
from collections.abc import Iterator
from itertools import chain, repeat

import httpx
import pytest

from messaging.errors import Unavailable, Uncertain
from messaging.sending.http_exchange import FAILURES, STOOD_STILL, exchange

PEER = "the network"


def subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def test_every_failure_that_httpx_knows_is_in_the_table() -> None:
    leaves = {kind for kind in subclasses(httpx.RequestError) if not kind.__subclasses__()}
    assert leaves <= set(FAILURES)


async def post(url: str, kind: type[Exception], writes: bool) -> None:
    async def fail(request: httpx.Request) -> httpx.Response:
        raise kind("secret-cookie")

    async with httpx.AsyncClient(transport=httpx.MockTransport(fail)) as client:
        await exchange(client, "POST", url, peer=PEER, timeout_seconds=5, writes=writes)


@pytest.mark.parametrize("kind", list(FAILURES))
@pytest.mark.parametrize("writes", [False, True])
def test_only_what_may_have_been_written_is_uncertain(kind: type[Exception], writes: bool) -> None:
    may_be_written, reason = FAILURES[kind]
    with pytest.raises(Uncertain if may_be_written and writes else Unavailable) as caught:
        asyncio.run(post("http://network", kind, writes))
    assert caught.value.reason == reason.format(PEER)


@pytest.mark.parametrize("kind", [ssl.SSLError, RuntimeError])
def test_a_failure_that_is_in_no_table_may_have_been_written_too(kind: type[Exception]) -> None:
    with pytest.raises(Uncertain) as caught:
        asyncio.run(post("http://network", kind, writes=True))
    assert "secret" not in caught.value.reason


@pytest.mark.parametrize("url", ["http://network:99999", "http://\0", "http://\ud800"])
def test_a_request_that_cannot_be_built_was_not_written(url: str) -> None:
    with pytest.raises(Unavailable):
        asyncio.run(post(url, RuntimeError, writes=True))


@pytest.mark.parametrize(("jump", "is_written"), [(1.0, True), (3600.0, False)])
def test_no_request_is_written_after_a_suspend(jump: float, is_written: bool) -> None:
    # The wall clock at the begin of the exchange, and when the connection stands.
    moments = chain([1000.0], repeat(1000.0 + jump))
    received: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(10_000))
        if received[-1]:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        closed.set()

    async def send() -> str:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, httpx.AsyncClient() as client:
            try:
                answered = await exchange(
                    client,
                    "POST",
                    f"http://127.0.0.1:{port}/",
                    peer=PEER,
                    timeout_seconds=30,
                    writes=True,
                    wall_clock=lambda: next(moments),
                )
                said = str(answered.status_code)
            except Unavailable as error:
                said = error.reason
        await closed.wait()
        return said

    closed = asyncio.Event()
    said = asyncio.run(send())
    assert said == ("200" if is_written else STOOD_STILL.format(PEER))
    assert any(received) is is_written
