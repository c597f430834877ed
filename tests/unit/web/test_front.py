"""The checks in front of the web application, one by one: bodies, readiness."""

import asyncio
from collections.abc import Sequence

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from messaging.web.front.bodies import SMALL_BYTES, BodyRoom, BoundedBodies
from messaging.web.readiness import KEEP_SECONDS, CachedReadiness
from tests.support.eventually import eventually

pytestmark = pytest.mark.anyio


async def count_bytes(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


class Client:
    """Calls an ASGI application with a body in chunks, and notes how many of them it read."""

    def __init__(self, app: BoundedBodies) -> None:
        self.app = app
        self.read = 0

    async def post(
        self, chunks: Sequence[bytes], *headers: tuple[bytes, bytes]
    ) -> tuple[int, bytes]:
        left, sent = list(chunks), []

        async def receive() -> Message:
            if not left:
                await asyncio.Event().wait()  # the client is silent
            self.read += 1
            body = left.pop(0)
            return {"type": "http.request", "body": body, "more_body": body != b""}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
        await self.app(scope, receive, send)
        status: int = sent[0]["status"]
        return status, b"".join(message.get("body", b"") for message in sent[1:])


def bounded(most: int = 1000, seconds: float = 30, room: int = 0) -> Client:
    return Client(BoundedBodies(count_bytes, lambda _: most, seconds, BodyRoom(room)))


async def test_a_body_within_the_limit_arrives_whole() -> None:
    assert await bounded().post([b"x" * 600, b"x" * 400, b""]) == (200, b"1000")


async def test_a_declared_length_above_the_limit_is_refused_unread() -> None:
    client = bounded()
    status, _ = await client.post([b"x"], (b"content-length", b"1001"))
    assert (status, client.read) == (413, 0)


async def test_a_body_that_grows_above_the_limit_is_refused_at_once() -> None:
    client = bounded()
    status, _ = await client.post([b"x" * 600] * 1000)
    assert (status, client.read) == (413, 2)


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"9" * 5000, b"\xb2"])
async def test_a_length_that_is_no_number_is_refused(length: bytes) -> None:
    status, _ = await bounded().post([b""], (b"content-length", length))
    assert status in (400, 413)


async def test_a_body_that_never_ends_is_given_up() -> None:
    assert (await bounded(seconds=0.05).post([b"x"]))[0] == 408


async def test_large_bodies_share_the_room_and_small_ones_need_none() -> None:
    most = 4 * SMALL_BYTES
    client = bounded(most, room=2 * SMALL_BYTES)
    held = asyncio.create_task(client.post([b"x" * (3 * SMALL_BYTES)]))
    await eventually(lambda: client.read == 1)
    assert (await client.post([b"x" * (2 * SMALL_BYTES), b""]))[0] == 503
    assert (await client.post([b"x" * SMALL_BYTES, b""]))[0] == 200
    held.cancel()
    await asyncio.wait([held])
    assert (await client.post([b"x" * (3 * SMALL_BYTES), b""]))[0] == 200


async def test_no_websocket_is_opened() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    await bounded().app({"type": "websocket", "headers": []}, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_readiness_is_asked_once_a_second_however_many_ask() -> None:
    asked, now = [], [0.0]

    async def question() -> str | None:
        asked.append(now[0])
        await asyncio.sleep(0)
        return "draining" if now[0] else None

    readiness = CachedReadiness(question, monotonic=lambda: now[0])
    answers = await asyncio.gather(*(readiness.reason() for _ in range(100)))
    assert (set(answers), asked) == ({None}, [0.0])
    now[0] = KEEP_SECONDS
    assert await readiness.reason() == "draining"


async def test_the_first_reason_counts_and_the_rest_is_not_asked() -> None:
    async def draining() -> str | None:
        return "draining"

    async def never() -> str | None:
        raise AssertionError

    assert await CachedReadiness(draining, never).reason() == "draining"
