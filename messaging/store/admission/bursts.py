"""Bounds the messages to devices within an hour: counts them in the store, and holds those beyond a bound."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from hashlib import blake2b
from random import randrange
from typing import Final

from django.db import connection
from publicsuffixlist import PublicSuffixList

from messaging.config.settings import Settings
from messaging.errors import Busy
from messaging.logs.records import details
from messaging.model.message import Message, Network
from messaging.store.admission.lookup import count_held
from messaging.store.admission.terms import TOO_MANY_HELD, Hold
from messaging.store.db.sql import execute_values
from messaging.store.models import BurstCount
from messaging.store.queue.delivery_state import NewHold

log = logging.getLogger(__name__)

PAGE_ROWS: Final = 500
PERIOD_SECONDS: Final = 300
PERIODS: Final = 13
"""The periods that are added up: an hour and the one that has begun."""
WRITERS: Final = 32
MAX_CACHED: Final = 4096

_ADD: Final = "INSERT INTO users_burstcount (key, period, writer, number) VALUES "
_ADD_AND_SUM: Final = (
    " ON CONFLICT (key, period, writer) DO UPDATE"
    " SET number = users_burstcount.number + excluded.number"
    " RETURNING key, users_burstcount.number + (SELECT COALESCE(SUM(o.number), 0)"
    " FROM users_burstcount o WHERE o.key = users_burstcount.key"
    " AND o.period > users_burstcount.period - {PERIODS}"
    " AND NOT (o.period = users_burstcount.period AND o.writer = users_burstcount.writer))"
).replace("{PERIODS}", str(PERIODS))


class Bound(StrEnum):
    """The bounds of messages within an hour. The first two are about one subscriber, the others about all."""

    AUTHOR = "author"
    DEVICE = "device"
    DOMAIN = "domain"
    CLIENT = "client"
    TOTAL = "total"


REASONS: Final = {
    Bound.AUTHOR: "more than {} messages of this author within an hour",
    Bound.DEVICE: "more than {} messages to this device within an hour",
    Bound.DOMAIN: "more than {} messages of strangers at this domain within an hour",
    Bound.CLIENT: "more than {} mails of strangers by this network of mail servers within an hour",
    Bound.TOTAL: "more than {} messages to all devices of this gateway within an hour",
}
OF_SUBSCRIBER: Final = (Bound.AUTHOR, Bound.DEVICE)
WAITS: Final = "; it waits for a decision"

BoundKey = tuple[Bound, str]
"""A bound, and the contact, device, domain or network that it counts."""


@dataclass(frozen=True, slots=True)
class CountedMessage:
    """The bounds that a message to a subscriber counts in."""

    owner: int
    keys: tuple[BoundKey, ...]


def keys_of_stranger(message: Message) -> list[BoundKey]:
    """Return the bounds that count only authors whom the subscriber does not know: by domain and by mail server."""
    keys = []
    if message.sender.network is Network.EMAIL:
        domain = message.sender.value.rpartition("@")[2].lower()
        keys.append((Bound.DOMAIN, _registrable_domain(domain)))
    if message.client_network:
        keys.append((Bound.CLIENT, message.client_network))
    return keys


class BurstBreaker:
    """Holds the messages that exceed a bound. The counts are in the store: all routers share them.

    A held message is not counted, so that it takes no room in the other bounds.
    """

    def __init__(self, settings: Settings) -> None:
        limits = {
            Bound.AUTHOR: settings.burst_hourly_per_author,
            Bound.DEVICE: settings.burst_hourly_per_device,
            Bound.DOMAIN: settings.burst_hourly_per_domain,
            Bound.CLIENT: settings.burst_hourly_per_client,
            Bound.TOTAL: settings.burst_hourly_in_total,
        }
        self._limits = {bound: limit for bound, limit in limits.items() if limit}
        self._held_for = timedelta(days=settings.held_days)
        self._max_held = settings.max_held_per_subscriber
        # Routers add to rows of their own in the bounds of all, where they would wait for each other all the time.
        self._writer = 1 + randrange(WRITERS)

    def admit(
        self, messages: Sequence[CountedMessage], now: datetime
    ) -> list[NewHold | Busy | None]:
        """Count messages, and return for each the hold or error that it gets; None for one that is delivered.

        One statement, and two more when a message exceeds a bound. Call it within a transaction.
        """
        keys = [[key for key in one.keys if key[0] in self._limits] for one in messages]
        new = Counter(key for own in keys for key in own)
        numbers = self._add(new, now)
        if all(number <= self._limits[key[0]] for key, number in numbers.items()):
            return [None] * len(messages)
        room = {key: self._limits[key[0]] - (number - new[key]) for key, number in numbers.items()}
        stopped: dict[int, Bound] = {}
        for index, own in enumerate(keys):
            exceeded = next((key[0] for key in own if room[key] <= 0), None)
            if exceeded is None:
                room.update((key, room[key] - 1) for key in own)
            else:
                stopped[index] = exceeded
        held = Counter(key for index in stopped for key in keys[index])
        self._add(Counter({key: -number for key, number in held.items()}), now)
        return self._hold(messages, stopped, now)

    def _hold(
        self, messages: Sequence[CountedMessage], stopped: Mapping[int, Bound], now: datetime
    ) -> list[NewHold | Busy | None]:
        numbers = count_held({messages[index].owner for index in stopped})
        found: list[NewHold | Busy | None] = [None] * len(messages)
        for index, bound in stopped.items():
            owner = messages[index].owner
            if numbers[owner] >= self._max_held:
                found[index] = Busy(TOO_MANY_HELD)
                continue
            numbers[owner] += 1
            reason = REASONS[bound].format(self._limits[bound])
            found[index] = NewHold(Hold.BURST.value, reason + WAITS, now + self._held_for)
            log.warning("a message is held: %s", reason, extra=details(kind=f"held {reason}"))
        return found

    def _add(self, numbers: Mapping[BoundKey, int], now: datetime) -> dict[BoundKey, int]:
        """Add to the counts, and return those of the hour: one statement, none without any."""
        period = int(now.timestamp()) // PERIOD_SECONDS
        # Hashes: the store needs neither addresses nor domains for it.
        by_hash = {_hash(key): key for key in numbers}
        # In one order everywhere: two routers that share rows wait for each other instead of locking up.
        rows = [
            (hash, period, 0 if key[0] in OF_SUBSCRIBER else self._writer, numbers[key])
            for hash, key in sorted(by_hash.items())
        ]
        if not rows:
            return {}
        with connection.cursor() as cursor:
            execute_values(cursor, _ADD, "(%s, %s, %s, %s)", rows, _ADD_AND_SUM)
            return {by_hash[hash]: int(total) for hash, total in cursor.fetchall()}


def remove_old_counts(now: datetime) -> int:
    """Remove counts that no sum needs any more, a page of them; return how many."""
    oldest = int(now.timestamp()) // PERIOD_SECONDS - PERIODS
    ids = BurstCount.objects.filter(period__lt=oldest).values_list("id", flat=True)[:PAGE_ROWS]
    return BurstCount.objects.filter(id__in=list(ids)).delete()[0]


@lru_cache(MAX_CACHED)
def _hash(key: BoundKey) -> int:
    data = "/".join(key).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), signed=True)


@lru_cache(MAX_CACHED)
def _registrable_domain(domain: str) -> str:
    return _public_suffixes().privatesuffix(domain) or domain


@cache
def _public_suffixes() -> PublicSuffixList:
    # Read when a stranger's mail first needs it: that takes 0.1 s.
    return PublicSuffixList()
