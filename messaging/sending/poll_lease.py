"""The lease of the sources that ask a provider at intervals, and the pause between two rounds."""

import asyncio
import logging
from typing import Final, Protocol

from messaging.errors import GatewayError

log = logging.getLogger(__name__)

STAND_BY_SECONDS: Final = 5.0
"""The wait of a source whose account another service polls."""


class PollLease(Protocol):
    """The right to poll an account, which one of several pollers has. Blocking."""

    @property
    def is_valid(self) -> bool:
        """Whether the lease that was last granted is still valid."""

    def acquire(self) -> bool:
        """Take or renew the lease; whether it is ours. Raises GatewayError."""

    def release(self) -> None:
        """End the lease. Raises GatewayError."""


async def pause(seconds: float, stopping: asyncio.Event) -> None:
    """Sleep, or return at once when `stopping` is set."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return


async def release(lease: PollLease | None, via: str) -> None:
    """End a valid lease, so that another poller follows at once; without the store it ends by itself."""
    if lease is None or not lease.is_valid:
        return
    try:
        await asyncio.to_thread(lease.release)
    except GatewayError as error:
        log.warning("the turn for %s ends by itself: %s", via, error.reason)
