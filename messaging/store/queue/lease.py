"""The time for which one attempt at a delivery belongs to one sender: pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

SENDING_SHARE = 0.9
"""The part of a lease in which the attempt may run; the rest is for its outcome to reach the ledger."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A sender may try until `lease_until`; from `due_at` on the next attempt may be given to somebody else."""

    due_at: datetime
    lease_until: datetime

    @classmethod
    def starting(cls, now: datetime, seconds: float) -> "Lease":
        """The lease that begins now."""
        return cls(
            due_at=now + timedelta(seconds=seconds),
            lease_until=now + timedelta(seconds=seconds * SENDING_SHARE),
        )
