"""The parts that all sources share which ask a provider at intervals: the lease, and the status of a failure."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

from messaging.errors import AccountBlocked, GatewayError

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


def reason_of(error: BaseException) -> str:
    """Return words for logs and status; of a bug its type alone, because its text may quote a message."""
    # Errors of the gateway and of the dataflow layer have this mark; this module cannot import the latter.
    if getattr(error, "for_people", False):
        return str(error)
    return f"internal error ({type(error).__name__})"


def iso(moment: datetime | None) -> str | None:
    """Return a time for the status (ISO 8601), or None."""
    return moment.isoformat(timespec="seconds") if moment is not None else None


class FailureStatus:
    """The reason why a source fails, and the time since when; empty while it works.

    Logs the first failure, each change of the reason, and the end. `work` names the work in these lines.
    """

    def __init__(self, work: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._work = work
        self._now = now
        self.reason = ""
        self.since: datetime | None = None

    def note(self, error: Exception) -> None:
        """Note that the work failed; of a blocked account the reason says where the operator has to act."""
        reason = reason_of(error)
        if isinstance(error, AccountBlocked):
            reason = f"{reason}: {error.action}"
        if reason != self.reason:
            log.warning("%s fails: %s", self._work, reason)
        self.reason = reason
        self.since = self.since or self._now()

    def clear(self) -> None:
        """Note that the work succeeded."""
        if self.since is not None:
            log.info("%s works again", self._work)
        self.reason, self.since = "", None

    def fields(self) -> dict[str, object]:
        """Return the fields for the status of a source."""
        return {"failing_since": iso(self.since), "failure": self.reason}


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
