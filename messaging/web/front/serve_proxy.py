"""The checks in the process of Ray Serve's proxy, which has the connections: before a byte reaches a replica.

Serve calls `middlewares` in each proxy when the environment names it (`CALLBACK_VARIABLE`).
"""

from typing import Final

import uvicorn.config
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from messaging.web.front.answers import later, not_found
from messaging.web.front.bodies import BodyRoom, BoundedBodies
from messaging.web.front.limits import BODY_SECONDS, ROOM_BYTES, max_body_bytes

CALLBACK_VARIABLE: Final = "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH"
CALLBACK: Final = "messaging.web.front.serve_proxy:middlewares"

MARK: Final = b"x-satbridge"
"""The header that marks an answer of the application; any other is Serve's own."""
_SERVES_OWN_PAGES: Final = "/-/"
_SERVES_OWN_HEADERS: Final = (
    b"x-request-id",
    b"x-request-timeout-seconds",
    b"x-request-disconnect-disabled",
)


def middlewares() -> list[Middleware]:
    """Bound the connections of this process, and return what stands before Serve: the last one is the outermost."""
    # The registry of uvicorn: Serve has no setting for the protocol.
    uvicorn.config.HTTP_PROTOCOLS["auto"] = "messaging.web.front.connections:BoundedProtocol"
    bounded = Middleware(
        BoundedBodies,
        max_bytes=max_body_bytes,
        seconds=BODY_SECONDS,
        room=BodyRoom(ROOM_BYTES),
    )
    return [Middleware(ServeFront), bounded]


class MarkedAnswers:
    """ASGI middleware of the application: marks each answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""

        async def mark(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (MARK, b"1")]}
            await send(message)

        await self._app(scope, receive, mark)


class ServeFront:
    """ASGI middleware that hides Serve: its own pages, its headers, and its errors.

    While Serve has no application, as at the start and the end, it says 404, and the provider would give its webhook
    up. An error of Serve's own becomes 503 with `Retry-After`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"].startswith(_SERVES_OWN_PAGES):
            await not_found(scope, receive, send)
            return
        answer = _Answer(scope, receive, send)
        # A stranger could lift Serve's time-outs by these.
        headers = [pair for pair in scope["headers"] if pair[0] not in _SERVES_OWN_HEADERS]
        try:
            await self._app({**scope, "headers": headers}, receive, answer.send)
        except Exception:
            if answer.has_started:
                raise
            await later()(scope, receive, send)


class _Answer:
    """Passes an answer of the application on, and replaces one of Serve's own."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._is_replaced = False
        self.has_started = False

    async def send(self, message: Message) -> None:
        if self._is_replaced:
            return
        if message["type"] != "http.response.start":
            await self._send(message)
            return
        self.has_started = True
        headers = list(message.get("headers", ()))
        if (MARK, b"1") not in headers:
            self._is_replaced = True
            await later()(self._scope, self._receive, self._send)
            return
        hidden = (MARK, *_SERVES_OWN_HEADERS)
        kept = [pair for pair in headers if pair[0].lower() not in hidden]
        await self._send({**message, "headers": kept})
