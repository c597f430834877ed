"""Notes the accounts that can send nothing until an operator acts; logs each in one line, not one per attempt."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

from messaging.model.message import Outcome, Result
from messaging.store.queue.delivery_state import DeliveryState

log = logging.getLogger(__name__)

CURRENT_SECONDS: Final = 3600.0
"""How long an account counts as blocked after its last refusal; the next attempts come within this time."""
LOG_SECONDS: Final = 600.0
"""How long the attempts of a blocked account are summed up in one line of the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedAccount:
    """A blocked account: since when, the attempts since then, the last reason, and where the operator has to act."""

    since: datetime
    attempts: int
    reason: str
    action: str


@dataclass(frozen=True, slots=True)
class _Entry:
    account: BlockedAccount
    refused_at: float
    is_logged: bool


class BlockedAccounts:
    """The blocked accounts, as one ledger sees them. `seconds` is a monotonic clock.

    An account is free again as soon as its network takes anything by it.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._entries: dict[str, _Entry] = {}
        self._sent_at: dict[str, float] = {}
        self._totals: Counter[str] = Counter()
        self._logged_at: dict[str, float] = {}
        self._unlogged: Counter[str] = Counter()

    def judge(self, row: DeliveryState, outcome: Outcome) -> Outcome:
        """Return the outcome; rejected, if a doubtful refusal turns out to be about the recipient.

        It is when the account sent others since the attempt before this one, which had been refused too.
        """
        sent_at = self._sent_at.get(row.via)
        wait = outcome.retry_after_seconds or 0
        if (
            outcome.is_doubtful
            and row.attempts > 1
            and sent_at is not None
            and self._seconds() - sent_at <= wait
        ):
            return replace(outcome, result=Result.REJECTED, action="", retry_after_seconds=None)
        return outcome

    def note(self, outcomes: Iterable[tuple[str, Outcome]], now: datetime) -> None:
        """Note the outcomes that count, each with its account. Call it after the commit."""
        for via, outcome in outcomes:
            if outcome.result is Result.SENT:
                self._sent_at[via] = self._seconds()
                entry = self._entries.pop(via, None)
                if entry and entry.is_logged:
                    number = entry.account.attempts
                    log.warning("%s sends again after %d refused attempts", via, number)
            elif outcome.action:
                self._totals[via] += 1
                self._add(via, outcome, now)

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Return the blocked accounts by name, ready for JSON."""
        self._forget_old()
        return {
            via: {**asdict(entry.account), "since": entry.account.since.isoformat()}
            for via, entry in self._entries.items()
        }

    def totals(self) -> dict[str, int]:
        """Return the number of refused attempts of each account since the start of the process."""
        return dict(self._totals)

    def _add(self, via: str, outcome: Outcome, now: datetime) -> None:
        self._forget_old()
        moment = self._seconds()
        before = self._entries.get(via)
        account = BlockedAccount(
            since=before.account.since if before else now,
            attempts=1 + (before.account.attempts if before else 0),
            reason=outcome.reason,
            action=outcome.action,
        )
        self._unlogged[via] += 1
        is_logged = before is not None and before.is_logged
        # One subscriber's wrong number between the good ones of others blocks and frees the account in turns.
        if moment - self._logged_at.get(via, -LOG_SECONDS) >= LOG_SECONDS:
            text = "%s is blocked until an operator acts (%d attempts since the last line): %s; %s"
            log.error(text, via, self._unlogged.pop(via), account.reason, account.action)
            self._logged_at[via], is_logged = moment, True
        self._entries[via] = _Entry(account, moment, is_logged)

    def _forget_old(self) -> None:
        oldest = self._seconds() - CURRENT_SECONDS
        for via in [via for via, entry in self._entries.items() if entry.refused_at < oldest]:
            del self._entries[via]
