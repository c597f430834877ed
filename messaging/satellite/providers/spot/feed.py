"""The order of the pages of a SPOT feed, which allows one call every few minutes. No I/O.

The newest page is read first, and again after every other page, so that older messages never delay an emergency.
"""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from messaging.satellite.account import Packet

PAGE_SIZE: Final = 50
FEED_DAYS: Final = 8
"""A message may be listed for this many days; SPOT documents 7."""

_FEED: Final = re.compile(r"([A-Za-z0-9_-]{1,64})(?::([^,]+))?")


def feeds_of(text: str) -> list[tuple[str, str]]:
    """Read `ID` or `ID:password`, separated by commas, as pairs. Raises ValueError."""
    found = [_FEED.fullmatch(one.strip()) for one in text.split(",") if one.strip()]
    if not found or None in found:
        raise ValueError("must look like ID or ID:password, with commas between them")
    return [(one[1], one[2] or "") for one in found if one]


class Feed:
    """One feed. Its next call is at `next_at` (monotonic seconds); `failure` is the reason of the last failure."""

    def __init__(self, feed_id: str, password: str = "") -> None:
        self.id = feed_id
        self._password = password
        self.next_at = float("-inf")
        self.failure = ""
        self.start = 1
        self._deeper: int | None = None

    def query(self, start: int) -> dict[str, str]:
        """Return the query of a call for the page that starts at this message number."""
        pages = {"start": str(start)} if start > 1 else {}
        return pages | ({"feedPassword": self._password} if self._password else {})

    def advance(
        self, start: int, packets: Sequence[Packet], new: Collection[str], since: datetime
    ) -> None:
        """Choose the next page after the page at `start` has been read.

        A full page whose oldest message is new (in `new`) is followed by the next one, until it is older than `since`.
        """
        dated = [(one.sent_at, one.id) for one in packets if one.sent_at is not None]
        sent_at, oldest = min(dated, default=(since, ""))
        more = len(packets) >= PAGE_SIZE and oldest in new and sent_at >= since
        if start > 1 or self._deeper is None:
            self._deeper = start + PAGE_SIZE if more else None
        self.start = self._deeper if start == 1 and self._deeper else 1
