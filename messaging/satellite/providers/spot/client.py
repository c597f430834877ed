"""Polling of SPOT's public feeds within SPOT's limits.

SPOT's page "API support" (findmespot.com).
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import httpx

from messaging.errors import ConfigurationError, Rejected, Unavailable
from messaging.satellite.account import Packet, SubmittedPart
from messaging.satellite.http_client import RestClient, json_of, raise_on_failure
from messaging.satellite.providers.spot.errors import FeedError
from messaging.satellite.providers.spot.feed import FEED_DAYS, Feed, feeds_of
from messaging.satellite.providers.spot.wire import packets_of

if TYPE_CHECKING:
    from messaging.satellite.providers.spot.account import SpotAccount

log = logging.getLogger(__name__)

ONE_WAY: Final = "devices of this network cannot receive messages"


class Spot:
    """The feeds of one account; connects at the first call.

    SPOT has no acknowledgements, so acknowledged ids are remembered here, as long as SPOT may list them. After a
    restart everything is offered once more; the router recognises the ids.
    """

    def __init__(self, account: "SpotAccount") -> None:
        self._account = account
        self._rest = RestClient(account.url, account.timeout_seconds, 1)
        self._feeds = [Feed(*one) for one in feeds_of(account.feeds.get_secret_value())]
        self._last_call = float("-inf")
        self._waiting: dict[str, Packet] = {}
        self._acknowledged: dict[str, datetime] = {}

    def __reduce__(self) -> "tuple[type[Spot], tuple[SpotAccount]]":
        """Pickle the account only, without connections and ids."""
        return type(self), (self._account,)

    async def send(self, serial: str, packet: bytes) -> SubmittedPart:
        """Raise Rejected: SPOT carries nothing to devices."""
        raise Rejected(ONE_WAY)

    async def inbox(self, count: int) -> list[Packet]:
        """Return up to `count` unacknowledged packets: emergencies first, then the oldest.

        Polls each feed that is due. When there is nothing to return and a feed failed, raises Unavailable with the
        wait until the next feed is due.
        """
        for feed in self._feeds:
            if feed.next_at <= time.monotonic():
                await self._refresh(feed)
        failure = next((feed.failure for feed in self._feeds if feed.failure), "")
        if failure and not self._waiting:
            wait = min(feed.next_at for feed in self._feeds) - time.monotonic()
            raise Unavailable(failure, max(wait, 0.0))
        latest = datetime.max.replace(tzinfo=UTC)
        return sorted(
            self._waiting.values(),
            key=lambda packet: (packet.sos is None, packet.sent_at or latest, packet.id),
        )[:count]

    async def acknowledge(self, packet_id: str) -> None:
        """Remember that a packet is stored. Raises Rejected for an unknown packet."""
        if packet_id not in self._waiting:
            raise Rejected("the satellite network does not know this packet")
        packet = self._waiting.pop(packet_id)
        self._acknowledged[packet_id] = packet.sent_at or datetime.now(UTC)

    async def check(self) -> None:
        """Return when every feed can be read. Raises Unavailable, or ConfigurationError naming the setting."""
        for number, feed in enumerate(self._feeds, 1):
            try:
                await self._page(feed, "latest.json", 1)
            except FeedError as error:
                setting = self._account.variable("feeds")
                raise ConfigurationError(f"{setting}: feed {number}: {error.reason}") from None

    async def aclose(self) -> None:
        """Close the connections; the next call connects again."""
        await self._rest.aclose()

    async def _refresh(self, feed: Feed) -> None:
        """Read the next page of a feed, and set the time of the call after it."""
        seconds, start = self._account.feed_seconds, feed.start
        try:
            packets = await self._page(feed, "message.json", start)
            feed.failure = ""
            self._store(feed, start, packets)
        except Unavailable as error:
            feed.failure = error.reason
            log.warning("a feed of %s: %s", self._account.name, error.reason)
            seconds = max(seconds, error.retry_after_seconds or 0)
        finally:
            feed.next_at = time.monotonic() + seconds

    def _store(self, feed: Feed, start: int, packets: Sequence[Packet]) -> None:
        oldest = datetime.now(UTC) - timedelta(days=FEED_DAYS)
        self._acknowledged = {id: at for id, at in self._acknowledged.items() if at > oldest}
        known = self._acknowledged.keys() | self._waiting.keys()
        new = {packet.id: packet for packet in packets if packet.id not in known}
        self._waiting |= new
        feed.advance(start, packets, new, self._since())

    def _since(self) -> datetime:
        return datetime.now(UTC) - timedelta(hours=self._account.max_age_hours)

    async def _page(self, feed: Feed, name: str, start: int) -> list[Packet]:
        """Make one call, `between_feeds_seconds` after the last at the earliest. Raises Unavailable."""
        account = self._account
        pause = self._last_call + account.between_feeds_seconds - time.monotonic()
        await asyncio.sleep(max(pause, 0))
        try:
            response = await self._rest.call("GET", f"/{feed.id}/{name}", params=feed.query(start))
        finally:
            self._last_call = time.monotonic()
        if response.status_code == httpx.codes.FORBIDDEN:
            words = "the satellite network refuses: the feed was asked too often"
            raise Unavailable(words, account.blocked_seconds)
        raise_on_failure(response)
        return packets_of(json_of(response), account.item_context(self._since()))
