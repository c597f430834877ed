"""Faults that every simulator can have, for tests and trials."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


class Faults(BaseModel):
    """The faults and their rates (0 to 1). All are off by default. Read from and written as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    error_rate: float = Field(default=0, ge=0, le=1)
    error_status: int = Field(default=503, ge=400, le=599)
    refuse_rate: float = Field(
        default=0, ge=0, le=1, description="drop the connection before reading"
    )
    hang_before_rate: float = Field(default=0, ge=0, le=1, description="answer nothing, do nothing")
    hang_after_rate: float = Field(
        default=0, ge=0, le=1, description="accept it, then answer nothing"
    )
    hang_seconds: float = Field(default=60, ge=0, description="or until the caller hangs up")
    garbage_rate: float = Field(default=0, ge=0, le=1, description="answer 200 with nonsense")
    latency_seconds: float = Field(default=0, ge=0)
    duplicate_rate: float = Field(
        default=0, ge=0, le=1, description="deliver the same message twice"
    )
    reorder: bool = False
    requests_per_second: float | None = Field(
        default=None, gt=0, description="answer 429 beyond it"
    )
    retry_after_seconds: int = Field(default=1, ge=0)


@dataclass
class Dice:
    """Random decisions for the faults of one simulator; a seed always gives the same ones. `now` is its clock."""

    faults: Faults = field(default_factory=Faults)
    seed: int = 1
    now: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._recent: deque[float] = deque()

    def happens(self, rate: float) -> bool:
        """Whether a fault of this rate happens now."""
        return rate > 0 and self._random.random() < rate

    def over_rate_limit(self) -> bool:
        """Count one request; whether it is over the limit of the last second."""
        limit = self.faults.requests_per_second
        if limit is None:
            return False
        now = self.now()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        self._recent.append(now)
        return len(self._recent) > limit

    def shuffle(self, items: list[T]) -> list[T]:
        """Return the items, in another order when `reorder` is on."""
        if not self.faults.reorder:
            return items
        return self._random.sample(items, len(items))

    async def hang(self) -> None:
        """Sleep for `hang_seconds`."""
        await asyncio.sleep(self.faults.hang_seconds)
