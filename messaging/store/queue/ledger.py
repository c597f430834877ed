"""The ledger: writes down what became of every attempt."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from messaging.config.settings import Settings
from messaging.errors import GatewayError
from messaging.model.message import Network, Outcome
from messaging.store.db.batch import BatchRunner
from messaging.store.db.clock import utc_now
from messaging.store.db.connection import open_store
from messaging.store.db.errors import StoreAway
from messaging.store.queue.settling import Settling

log = logging.getLogger(__name__)


class Ledger:
    """Settles outcomes, a batch in one transaction. Synchronous throughout.

    An outcome counts only while its delivery waits for that very attempt: older ones, repeats and those of cancelled
    deliveries are accepted and change nothing. One that never arrives is noticed by `due` when the lease ends. What
    fails for good is told to its author in the same transaction, by `default_accounts`. What a network said that
    no store can hold is left out: an outcome is offered until it is taken, and holds up those behind it.
    """

    def __init__(
        self,
        settings: Settings,
        default_accounts: Mapping[Network, str] | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        open_store(settings)
        self._settling = Settling(settings, default_accounts, now)
        self._runner = BatchRunner("ledger")
        self._counters: Counter[str] = Counter()

    def process(self, outcomes: Sequence[Outcome]) -> list[list[None] | Exception]:
        """Return, for each outcome, an empty list once it is on disk, or `Unavailable`: then offer it again."""
        results: list[list[None] | Exception] = []
        kinds = self._runner.run(self._settling.settle, outcomes)
        for outcome, first in zip(outcomes, kinds, strict=True):
            kind = self._bare(outcome) if _is_about_itself(first) else first
            self._counters["unavailable" if isinstance(kind, Exception) else kind] += 1
            results.append(kind if isinstance(kind, Exception) else [])
            if kind == "ignored":
                log.info("an older outcome", extra={"message_id": outcome.message_id})
        return results

    def status(self) -> dict[str, object]:
        """Return how many outcomes became what since the start: a state, ignored or unavailable; and by provider."""
        return {**self._counters, "settled": self._settling.tally.snapshot()}

    def _bare(self, outcome: Outcome) -> str | GatewayError:
        """Settle an outcome without what the network called and charged for it; that failing too, let its lease end."""
        bare = replace(outcome, submitted=())
        kind = self._runner.run(self._settling.settle, [bare])[0]
        what = "nothing" if _is_about_itself(kind) else "how it ended, without the network's ids,"
        log.error("of an outcome %s could be kept", what, extra={"message_id": outcome.message_id})
        return "lost" if _is_about_itself(kind) else kind


def _is_about_itself(kind: str | GatewayError) -> bool:
    """Whether an outcome was refused though the store works: it would be, however often it is offered."""
    return isinstance(kind, GatewayError) and not isinstance(kind, StoreAway)
