"""Middleware with the faults of a simulator, for any ASGI application: errors, hangs, dropped connections, nonsense."""

import asyncio
from contextlib import suppress
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from messaging.simulator.shared.faults import Dice


class Faulty:
    """Middleware before `app`: requests below `prefix` (or several) get a fault or pass. `requests` counts them.

    The server must call it directly: only there can a connection be dropped.
    """

    def __init__(self, app: ASGIApp, dice: Dice, prefix: str | tuple[str, ...]) -> None:
        self._app = app
        self._dice = dice
        self._prefix = prefix
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            return await self._app(scope, receive, send)
        self.requests += 1
        faults = self._dice.faults
        if faults.latency_seconds:
            await asyncio.sleep(faults.latency_seconds)
        if self._dice.happens(faults.refuse_rate):
            return await _drop(receive, send)
        if self._dice.happens(faults.hang_before_rate):
            return await self._hang(receive, send)
        answer = self._error()
        if answer is not None:
            return await answer(scope, receive, send)
        await self._pass(scope, receive, send)

    def _error(self) -> ASGIApp | None:
        """Return the error that this request gets in place of the application's answer, if any."""
        faults = self._dice.faults
        if self._dice.over_rate_limit():
            wait = {"Retry-After": str(faults.retry_after_seconds)}
            return JSONResponse({"error": "too many requests"}, 429, wait)
        if self._dice.happens(faults.error_rate):
            return JSONResponse({"error": "simulated"}, faults.error_status)
        return None

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and send its answer, or a hang or nonsense in its place."""
        faults = self._dice.faults
        if self._dice.happens(faults.hang_after_rate):
            await self._app(scope, receive, _discard)
            return await self._hang(receive, send)
        if self._dice.happens(faults.garbage_rate):
            await self._app(scope, receive, _discard)
            return await PlainTextResponse("<html>}{ nonsense")(scope, receive, send)
        await self._app(scope, receive, send)

    async def _hang(self, receive: Receive, send: Send) -> None:
        """Send no answer until the caller hangs up, or `hang_seconds` have passed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._dice.faults.hang_seconds):
                await _disconnect(receive)
        await _drop(receive, send)


async def _drop(receive: Receive, send: Send) -> None:
    """Close the connection without an answer. ASGI has no message for it, so this uses the transport of uvicorn."""
    server: Any = getattr(send, "__self__", None)
    server.transport.abort()
    await _disconnect(receive)


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _discard(message: Message) -> None:
    """Drop a message of an answer."""
