"""Which page of a SPOT feed to ask for next, where only one may be asked for every few minutes. No I/O.

The newest page comes first and after every other one: somebody who calls for help now does not wait until the messages
of a week have been caught up with.
"""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from messaging.satellite.account import Packet

PAGE_SIZE: Final = 50
FEED_DAYS: Final = 8
"""For how long a message may be listed, in days: SPOT says 7."""

_FEED: Final = re.compile(r"([A-Za-z0-9_-]{1,64})(?::([^,]+))?")


def feeds_of(text: str) -> list[tuple[str, str]]:
    """Read `ID` or `ID:password`, with commas between them, as pairs. Raises ValueError."""
    found = [_FEED.fullmatch(one.strip()) for one in text.split(",") if one.strip()]
    if not found or None in found:
        raise ValueError("must look like ID or ID:password, with commas between them")
    return [(one[1], one[2] or "") for one in found if one]


class Feed:
    """One feed. It may be asked again at `next_at` (monotonic seconds); `failure` says why it could not be had."""

    def __init__(self, feed_id: str, password: str = "") -> None:
        self.id = feed_id
        self._password = password
        self.next_at = float("-inf")
        self.failure = ""
        self.start = 1
        self._deeper: int | None = None

    def query(self, start: int) -> dict[str, str]:
        """Return the query of a call that begins at the message of this number."""
        pages = {"start": str(start)} if start > 1 else {}
        return pages | ({"feedPassword": self._password} if self._password else {})

    def turn(
        self, start: int, found: Sequence[Packet], new: Collection[str], since: datetime
    ) -> None:
        """Note what the page at `start` brought, and decide which is next.

        Behind a full page whose oldest message is news there may be more, until that is older than `since`.
        """
        dated = [(one.sent_at, one.id) for one in found if one.sent_at is not None]
        sent_at, oldest = min(dated, default=(since, ""))
        more = len(found) >= PAGE_SIZE and oldest in new and sent_at >= since
        if start > 1 or self._deeper is None:
            self._deeper = start + PAGE_SIZE if more else None
        self.start = self._deeper if start == 1 and self._deeper else 1
