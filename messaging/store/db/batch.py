"""Runs work on whole batches, and on single records when one of them fails its batch."""

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
"""Two transactions that race for one id block each other once; the loser sees the winner's rows at the next try."""


class BatchRunner:
    """Gives every record of a batch a result of its own: the result of the work, or one of our errors.

    The work must be one transaction and harmless to repeat. While the store is away every record is refused and none
    is tried alone; the log says so once, and once when the store is back.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._is_away = False

    def run(
        self, work: Callable[[Sequence[R]], Sequence[T]], records: Sequence[R]
    ) -> list[T | GatewayError]:
        """Return one result per record, in their order. Never raises."""
        tries = 0
        while True:
            tries += 1
            try:
                with store_errors():
                    results = work(records)
            except StoreAway as error:
                if not self._is_away:
                    reason = describe(error.__cause__ or error)
                    log.error("%s: the store is away: %s", self._name, reason)
                self._is_away = True
                return [StoreAway() for _ in records]
            except Exception as error:
                if isinstance(error, Conflict) and tries < CONFLICT_TRIES:
                    log.info("%s: lost a race for the same rows, trying again", self._name)
                    continue
                if len(records) == 1:
                    return [self._log_failure(error, records[0])]
                return self._run_one_by_one(work, records)
            if self._is_away:
                self._is_away = False
                log.warning("%s: the store is back", self._name)
            return list(results)

    def run_one(self, work: Callable[[], T]) -> T | GatewayError:
        """Run work that has no records; return its result, or our error."""
        return self.run(lambda _: [work()], [None])[0]

    def _run_one_by_one(
        self, work: Callable[[Sequence[R]], Sequence[T]], records: Sequence[R]
    ) -> list[T | GatewayError]:
        results: list[T | GatewayError] = []
        for record in records:
            if results and isinstance(results[-1], StoreAway):
                results.append(StoreAway())
            else:
                results.extend(self.run(work, [record]))
        return results

    def _log_failure(self, error: Exception, record: object) -> GatewayError:
        cause = error.__cause__ or error
        # Only the place, never the message: the text of a foreign exception may quote a body.
        frames = traceback.extract_tb(cause.__traceback__)[-3:]
        log.error(
            "%s: one record failed with %s at %s",
            self._name,
            type(cause).__name__,
            " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames)),
            extra={"message_id": getattr(record, "id", getattr(record, "message_id", ""))},
        )
        return translate(error)
