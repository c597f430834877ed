"""Reports of a network on a submitted message: at once (`SubmittedPart`) and later (`Receipt`). Frozen values."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from messaging.model.transfer import transferable


@transferable
@dataclass(frozen=True, slots=True)
class SubmittedPart:
    """A part that a network took: its id there, and the units (credits, segments) charged, None where not reported."""

    network_id: str
    billed_units: int | None = None


class ReceiptState(StrEnum):
    """The progress of a submitted part. A message that was read counts as delivered."""

    ON_ITS_WAY = "on its way"
    DELIVERED = "delivered"
    FAILED = "failed"


FINAL_RECEIPTS: Final = frozenset({ReceiptState.DELIVERED, ReceiptState.FAILED})


@transferable
@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A report on a submitted part, which the account `via` calls `network_id`.

    May come early, late, twice and in any order: a final state stays. `reason` is in plain words. `billed_units` are
    the units charged, `at` is the time of the event; None where not known. A failed part may succeed when
    `retry_after_seconds` have passed, and never without them.
    """

    via: str
    network_id: str
    state: ReceiptState
    reason: str = ""
    at: datetime | None = None
    billed_units: int | None = None
    retry_after_seconds: float | None = None

    @property
    def id(self) -> str:
        """The account and the network's id, for the log."""
        return f"{self.via} {self.network_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """The rest of a text after its first parts: the number of its characters, and the parts and units that it takes.

    `display` has the first parts as the device displays them.
    """

    characters: int
    parts: int
    units: int
    display: tuple[str, ...] = field(default=(), repr=False)
