"""Bounds the bodies of requests, before an application reads or stores a byte of them."""

import asyncio
from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from messaging.web.front.answers import incomplete, later, plain, too_large

SMALL_BYTES: Final = 65_536
"""Bodies up to this size need no room."""


class BodyRoom:
    """The memory that bodies above `SMALL_BYTES` share."""

    def __init__(self, max_bytes: int) -> None:
        self._free = max_bytes

    def take(self, count: int) -> bool:
        """Reserve room; whether there was enough."""
        if count > self._free:
            return False
        self._free -= count
        return True

    def give_back(self, count: int) -> None:
        """End a reservation."""
        self._free += count


class BoundedBodies:
    """ASGI middleware that reads a whole body, of bounded size, in bounded time, before it calls the application.

    `max_bytes` gives the limit for a request. 413: larger. 408: not complete within `seconds`. 503: the `room` for
    large bodies is used up. 400: `Content-Length` is no number. A WebSocket is refused.
    """

    def __init__(
        self, app: ASGIApp, max_bytes: Callable[[Scope], int], seconds: float, room: BodyRoom
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._max_bytes(scope)
        declared = _declared_length(scope)
        if declared is None:
            await plain(400, "bad request", {"Connection": "close"})(scope, receive, send)
        elif declared > most:
            await too_large()(scope, receive, send)
        else:
            await self._serve(scope, receive, send, most)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, most: int) -> None:
        body, reserved = bytearray(), 0
        try:
            async with asyncio.timeout(self._seconds):
                more = True
                while more:
                    message = await receive()
                    if message["type"] != "http.request":
                        return  # the client left
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > most:
                        await too_large()(scope, receive, send)
                        return
                    wanted = max(len(body) - SMALL_BYTES, 0) - reserved
                    if wanted and not self._room.take(wanted):
                        await later()(scope, receive, send)
                        return
                    reserved += wanted
        except TimeoutError:
            await incomplete()(scope, receive, send)
            return
        else:
            await self._app(scope, _replay(bytes(body), receive), send)
        finally:
            self._room.give_back(reserved)


def _declared_length(scope: Scope) -> int | None:
    """Return the `Content-Length`, 0 without one; None when it is no number."""
    values = [value for name, value in scope["headers"] if name == b"content-length"]
    if not values:
        return 0
    # A few digits more than any limit; int() would be slow for thousands.
    is_number = values[0].isdigit() and len(values[0]) <= 18
    return int(values[0]) if is_number else None


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the whole body first, and then what the server says."""
    given: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return given.pop() if given else await receive()

    return receive_again
