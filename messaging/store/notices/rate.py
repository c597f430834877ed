"""Bounds how many notices go out: authors can be forged, and a forged author must not be flooded."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import partial

from django.db import transaction
from django.db.models.functions import Lower

from messaging.model.message import Network
from messaging.store.models import Contact, Delivery
from messaging.store.rate_limit import Pair, RateLimiter

ALL_SUBSCRIBERS = 0
ALL_AUTHORS = ""


class NoticeRate:
    """Allows `hourly` notices to one author, and as many about the messages to one subscriber; 0 allows any number.

    Beyond the second limit only authors that the subscriber knows get one, so that a flood from forged authors costs
    no contact the notice. Counted as `RateLimiter` counts, once the transaction is committed.
    """

    def __init__(self, hourly: int, seconds: Callable[[], float] = time.monotonic) -> None:
        self._limiter = RateLimiter(hourly, seconds)

    def allow(self, pairs: Sequence[Pair], own: Collection[Pair] = ()) -> list[bool]:
        """Return, for each author and subscriber, whether the notice is within the limits.

        `own` are the pairs whose author is a device of the subscriber.
        Runs no query while there is room for all. Call it within the transaction that writes the notices.
        """
        per_subscriber = Counter(subscriber for _, subscriber in pairs)
        full = {
            subscriber
            for subscriber, number in per_subscriber.items()
            if number > self._limiter.room((ALL_AUTHORS, subscriber))
        }
        known = contacts_among({pair for pair in pairs if pair[1] in full}) | set(own)
        taken: Counter[Pair] = Counter()
        allowed = [self._take(pair, pair in known, taken) for pair in pairs]
        transaction.on_commit(partial(self._limiter.note, list(taken.elements())))
        return allowed

    def _take(self, pair: Pair, is_known: bool, taken: Counter[Pair]) -> bool:
        author, subscriber = (pair[0].lower(), ALL_SUBSCRIBERS), (ALL_AUTHORS, pair[1])
        if not self._has_room(author, taken):
            return False
        has_room = self._has_room(subscriber, taken)
        taken.update([author, subscriber] if has_room else [author] * is_known)
        return has_room or is_known

    def _has_room(self, key: Pair, taken: Counter[Pair]) -> bool:
        return self._limiter.room(key) > taken[key]


def contacts_among(pairs: Collection[Pair]) -> set[Pair]:
    """Return those of the pairs of an address and a subscriber that know each other: two queries, or none.

    A subscriber knows the own contacts and the addresses that the own devices have written to. Upper and lower case
    are the same.
    """
    if not pairs:
        return set()
    addresses = {address.lower() for address, _ in pairs}
    subscribers = {subscriber for _, subscriber in pairs}
    contacts = Contact.objects.filter(owner_id__in=subscribers).annotate(lower=Lower("address"))
    from_devices = Delivery.objects.filter(
        message__subscriber_id__in=subscribers, message__sender_network=Network.SATELLITE.value
    ).annotate(lower=Lower("recipient"))
    known = {
        *contacts.filter(lower__in=addresses).values_list("lower", "owner_id"),
        *from_devices.filter(lower__in=addresses)
        .order_by()
        .values_list("lower", "message__subscriber_id")
        .distinct(),
    }
    return {pair for pair in pairs if (pair[0].lower(), pair[1]) in known}
