"""Runs work on whole batches, and on single records when one of them poisons its batch."""

import logging
import traceback
from collections.abc import Callable, Sequence
from typing import TypeVar

from messaging.errors import GatewayError
from messaging.store.db.connection import store_errors
from messaging.store.db.errors import Conflict, StoreAway, describe, translate

log = logging.getLogger(__name__)

R = TypeVar("R")
T = TypeVar("T")

CONFLICT_TRIES = 3
"""Two that race for one id block each other once; the loser sees the winner's rows when it tries again."""


class BatchRunner:
    """Gives every record of a batch a result of its own: what the work returned, or one of our errors.

    The work must be one transaction and harmless to repeat. While the store is away every record is refused and
    nothing is tried one by one; the log hears of it once, and once when it is back.
    """

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._away = False

    def run(
        self, work: Callable[[Sequence[R]], Sequence[T]], records: Sequence[R]
    ) -> list[T | GatewayError]:
        """Return one result per record, in their order. Never raises."""
        try:
            return list(self._together(work, records))
        except StoreAway as away:
            self._note_away(away)
            return [StoreAway() for _ in records]
        except Exception as error:
            if len(records) == 1:
                return [self._poisoned(error, records[0])]
        return self._one_by_one(work, records)

    def run_one(self, work: Callable[[], T]) -> T | GatewayError:
        """Run work that has no records; return what it returned, or our error."""
        return self.run(lambda _: [work()], [None])[0]

    def _together(
        self, work: Callable[[Sequence[R]], Sequence[T]], records: Sequence[R]
    ) -> Sequence[T]:
        results = self._past_conflicts(work, records)
        if self._away:
            self._away = False
            log.warning("%s: the store is back", self._owner)
        return results

    def _past_conflicts(
        self, work: Callable[[Sequence[R]], Sequence[T]], records: Sequence[R]
    ) -> Sequence[T]:
        for _ in range(CONFLICT_TRIES - 1):
            try:
                with store_errors():
                    return work(records)
            except Conflict:
                log.info("%s: lost a race for the same rows, trying again", self._owner)
        with store_errors():
            return work(records)

    def _one_by_one(
        self, work: Callable[[Sequence[R]], Sequence[T]], records: Sequence[R]
    ) -> list[T | GatewayError]:
        results: list[T | GatewayError] = []
        for record in records:
            if results and isinstance(results[-1], StoreAway):
                results.append(StoreAway())
            else:
                results.extend(self.run(work, [record]))
        return results

    def _note_away(self, away: StoreAway) -> None:
        if not self._away:
            self._away = True
            log.error("%s: the store is away: %s", self._owner, describe(away.__cause__ or away))

    def _poisoned(self, error: Exception, record: object) -> GatewayError:
        cause = error.__cause__ or error
        # Where it happened, never what it says: the text of a foreign exception may quote a body.
        frames = traceback.extract_tb(cause.__traceback__)[-3:]
        log.error(
            "%s: one record failed with %s at %s",
            self._owner,
            type(cause).__name__,
            " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames)),
            extra={"message_id": getattr(record, "id", getattr(record, "message_id", ""))},
        )
        return translate(error)
