"""Which failures of a request are harmless, and which leave it open whether it took effect."""

import asyncio
import ssl
from collections.abc import Iterator

import httpx
import pytest

from messaging.errors import Unavailable, Uncertain
from messaging.sending.http_exchange import FAILURES, exchange

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
