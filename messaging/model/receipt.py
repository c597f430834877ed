"""Reports of a network on a submitted message: at once (`SubmittedPart`) and later (`Receipt`). Frozen values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


@dataclass(frozen=True, slots=True)
class SubmittedPart:
    """A network took something: its id for that, and the units (credits, segments) that it charges, if it said so."""

    network_id: str
    billed_units: int | None = None


class ReceiptState(StrEnum):
    """How far what we sent has come. What was read has been delivered."""

    ON_ITS_WAY = "on its way"
    DELIVERED = "delivered"
    FAILED = "failed"


FINAL_RECEIPTS: Final = frozenset({ReceiptState.DELIVERED, ReceiptState.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """News of something that was handed to the account `via`, which calls it `network_id`.

    May come early, late, twice and in any order: what is final stays. `reason` is in plain words, `units` what the
    network charges for it, `at` when it happened, where that is known. What failed may succeed another time when
    `retry_after_seconds` have passed; never, without them.
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
        """A name for the log."""
        return f"{self.via} {self.network_id}"
