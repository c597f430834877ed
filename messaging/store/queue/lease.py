"""The length of a lease, and the time for which a delivery is handed out before its attempt begins."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

SENDING_SHARE: Final = 0.9
"""The part of a lease in which the attempt may run; the rest is for its outcome to reach the ledger."""

HAND_OUT_SECONDS: Final = 4.0
"""A delivery that was handed to a sender and that no sender began is due again after this time.

Short, because it costs no attempt and a second copy is harmless: of all copies one begins.
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """The time of one attempt: it may run until `lease_until`, and from `due_at` on the next one may be claimed."""

    due_at: datetime
    lease_until: datetime

    @classmethod
    def starting(cls, now: datetime, seconds: float) -> "Lease":
        """Return the lease of an attempt that begins now."""
        return cls(
            due_at=now + timedelta(seconds=seconds),
            lease_until=now + timedelta(seconds=seconds * SENDING_SHARE),
        )


def hand_out_end(now: datetime) -> datetime:
    """Return when a delivery that is handed to a sender now is due again, unless the sender begins an attempt."""
    return now + timedelta(seconds=HAND_OUT_SECONDS)
