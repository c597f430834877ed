"""Counts who is in an ASGI application at once, and keeps them there until it is told to let them go."""

import asyncio
import threading

from starlette.types import ASGIApp, Receive, Scope, Send


class Crowd:
    """Stands before `app`: while `held`, no request passes; `inside` is how many are there, `most` how many were."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._free = threading.Event()
        self._free.set()
        self.inside = 0
        self.most = 0

    def hold(self) -> None:
        self._free.clear()

    def let_go(self) -> None:
        self._free.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            while not self._free.is_set():  # noqa: ASYNC110 (it is set in another thread)
                await asyncio.sleep(0.01)
            await self._app(scope, receive, send)
        finally:
            self.inside -= 1
