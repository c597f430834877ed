"""Waits for what another thread, task or process does, as long as a busy machine may take for it."""

import asyncio
import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

# Passes only where a test fails: what is waited for takes milliseconds on a machine that has nothing else to do.
PATIENCE_SECONDS: Final = 30.0


def wait_until(look: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
    """Block until `look` finds something true, and return it; who waits in vain fails."""
    ends, pause = time.monotonic() + seconds, 0.01
    while not (found := look()):
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(pause)
        pause = min(2 * pause, 0.1)
    return found


async def eventually(look: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
    """Like `wait_until`, and the event loop goes on meanwhile."""
    async with asyncio.timeout(seconds):
        while not (found := look()):  # noqa: ASYNC110 (no event tells when it happens)
            await asyncio.sleep(0.01)
    return found
