"""The status of a failure that sources of messages report and log."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from messaging.errors import AccountBlocked

log = logging.getLogger(__name__)


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


def reason_of(error: BaseException) -> str:
    """Return words for logs and status; of a bug its type alone, because its text may quote a message."""
    # Errors of the gateway and of the dataflow layer have this mark; this module cannot import the latter.
    if getattr(error, "for_people", False):
        return str(error)
    return f"internal error ({type(error).__name__})"


def iso(moment: datetime | None) -> str | None:
    """Return a time for the status (ISO 8601), or None."""
    return moment.isoformat(timespec="seconds") if moment is not None else None
