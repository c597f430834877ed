"""How fast notices may go out: senders can be forged, and whoever is named must not be flooded."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from django.db import transaction

from messaging.store.notices.acquaintances import acquaintances
from messaging.store.rate_limit import Pair, RateLimiter

ALL_SUBSCRIBERS = 0
ALL_AUTHORS = ""


class NoticePace:
    """Lets `hourly` notices go to one author, and as many about what was written to one subscriber; 0 lets all.

    Beyond the second only those are told whom the subscriber knows, so that a flood from forged senders never costs
    a friend the notice. Counted as `Pace` counts, once the transaction is committed.
    """

    def __init__(self, hourly: int, seconds: Callable[[], float] = time.monotonic) -> None:
        self._pace = RateLimiter(hourly, seconds)

    def allowed(self, pairs: Sequence[Pair]) -> list[bool]:
        """Return for each author, and the subscriber written to, whether the author may be told.

        Asks nothing of the store while there is room for all. Call it within the transaction that writes them.
        """
        known = acquaintances(self._pressing(pairs))
        taken: Counter[Pair] = Counter()
        found = [self._take(pair, pair in known, taken) for pair in pairs]
        transaction.on_commit(partial(self._pace.note, list(taken.elements())))
        return found

    def _pressing(self, pairs: Sequence[Pair]) -> set[Pair]:
        """The pairs of the subscribers about whom there would be too many."""
        wanted = Counter(subscriber for _, subscriber in pairs)
        full = {one for one in wanted if wanted[one] > self._pace.room((ALL_AUTHORS, one))}
        return {pair for pair in pairs if pair[1] in full}

    def _take(self, pair: Pair, is_known: bool, taken: Counter[Pair]) -> bool:
        author, subscriber = (pair[0].lower(), ALL_SUBSCRIBERS), (ALL_AUTHORS, pair[1])
        if not self._has_room(author, taken):
            return False
        has_room = self._has_room(subscriber, taken)
        taken.update([author, subscriber] if has_room else [author] * is_known)
        return has_room or is_known

    def _has_room(self, key: Pair, taken: Counter[Pair]) -> bool:
        return self._pace.room(key) > taken[key]
