"""The server of the web pages in a process of the gateway's."""

import asyncio
from contextlib import suppress
from typing import Final

import uvicorn

TICK_SECONDS: Final = 1.0
TICKS: Final = 10
"""Uvicorn renews the date at every tenth of its own ticks."""


class QuietServer(uvicorn.Server):
    """Uvicorn's server, which wakes once a second instead of ten times: an idle gateway costs little.

    `end` may be called on any thread.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Return when the server shall end."""
        self._loop = asyncio.get_running_loop()
        counter = 0
        while not await self.on_tick(counter):
            counter += TICKS
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._wake.wait()

    def end(self) -> None:
        """Take no new connections, and end when the requests in work have."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._wake.set)
