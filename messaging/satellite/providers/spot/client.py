"""The public feeds of SPOT: settings, and polling within SPOT's limits. One way: nothing goes to these devices.

SPOT's page "API support" (findmespot.com). `docs/networks/spot.md` says what is known of it and what is not.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Never

import httpx
from pydantic import AfterValidator, SecretStr

from messaging.errors import ConfigurationError, Rejected, Unavailable
from messaging.model.message import Address, Message, Network
from messaging.satellite.account import Packet, PolledAccount, Seconds, SubmittedPart
from messaging.satellite.codecs.protobuf import Undecodable, mailbox, phone_number
from messaging.satellite.http_client import HttpUrl, RestClient, json_of, succeed
from messaging.satellite.providers.spot.feed import FeedError, Reading, page_of
from messaging.satellite.providers.spot.pages import FEED_DAYS, Feed, feeds_of

log = logging.getLogger(__name__)

SPOT_URL: Final = "https://api.findmespot.com/spot-main-web/consumer/rest-api/2.0/public/feed"
ONE_WAY: Final = "devices of this network cannot receive messages"


def _feeds(text: SecretStr) -> SecretStr:
    feeds_of(text.get_secret_value())
    return text


def _addresses(text: str) -> str:
    addresses_of(text)
    return text


def addresses_of(text: str) -> tuple[Address, ...]:
    """Read mailboxes and numbers, with commas between them. Raises ValueError."""
    return tuple(_address(one.strip()) for one in text.split(",") if one.strip())


def _address(text: str) -> Address:
    try:
        if "@" in text:
            return Address(Network.EMAIL, mailbox(text))
        return Address(Network.SMS, phone_number(text))
    except Undecodable as error:
        raise ValueError(error.reason) from None


def types_of(text: str) -> frozenset[str]:
    """Read names of message types, with commas between them."""
    return frozenset(name.strip().upper() for name in text.split(",") if name.strip())


class SpotAccount(PolledAccount, prefix="SATBRIDGE_SPOT_"):
    """Feeds of SPOT devices, `ID` or `ID:password` with commas between them; a device's serial is its messenger id.

    Texts go to `recipients`, for a device names nobody. One feed is never asked more often than every `feed_seconds`,
    and no two within `between_feeds_seconds`; after a 403 a feed is left alone for `blocked_seconds`. Of what is older
    than `max_age_hours` only the place is kept.
    """

    feeds: Annotated[SecretStr, AfterValidator(_feeds)]
    url: HttpUrl = SPOT_URL
    recipients: Annotated[str, AfterValidator(_addresses)] = ""
    message_types: str = "OK,CUSTOM"
    emergency_types: str = "HELP,SOS,911"
    feed_seconds: Seconds = 150
    between_feeds_seconds: Seconds = 2
    blocked_seconds: Seconds = 3600
    max_age_hours: Seconds = 72
    poll_seconds: Seconds = 150

    def connect(self) -> "Spot":
        """Return the network of this account, without I/O."""
        return Spot(self)

    def packets(self, message: Message, codec: str, max_parts: int) -> Never:
        """Raise Rejected: nothing can be sent."""
        raise Rejected(ONE_WAY)


class Spot:
    """The feeds of one account; connects when it is first used.

    SPOT forgets nothing that it is told to forget, so what was acknowledged is remembered here, as long as it may be
    listed. After a restart everything is offered once more; the router knows it by its id.
    """

    def __init__(self, account: SpotAccount) -> None:
        self._account = account
        self._rest = RestClient(account.url, account.timeout_seconds, 1)
        self._feeds = [Feed(*one) for one in feeds_of(account.feeds.get_secret_value())]
        self._last_call = float("-inf")
        self._waiting: dict[str, Packet] = {}
        self._taken: dict[str, datetime] = {}

    def __reduce__(self) -> tuple[type["Spot"], tuple[SpotAccount]]:
        """Travel as an account: connections and what is remembered stay behind."""
        return type(self), (self._account,)

    async def send(self, serial: str, packet: bytes) -> SubmittedPart:
        """Raise Rejected: nothing can be sent."""
        raise Rejected(ONE_WAY)

    async def inbox(self, count: int) -> list[Packet]:
        """Return up to `count` packets that nobody acknowledged: emergencies, then the oldest.

        Asks each feed that may be asked now. Raises Unavailable when there is nothing to return and a feed failed,
        with the wait until one may be asked.
        """
        for feed in self._feeds:
            if feed.next_at <= time.monotonic():
                await self._refresh(feed)
        failed = next((feed.failure for feed in self._feeds if feed.failure), "")
        if failed and not self._waiting:
            wait = min(feed.next_at for feed in self._feeds) - time.monotonic()
            raise Unavailable(failed, max(wait, 0.0))
        return sorted(self._waiting.values(), key=_age)[:count]

    async def acknowledge(self, packet_id: str) -> None:
        """Remember that a packet was taken. Raises Rejected when it is not waiting."""
        if packet_id not in self._waiting:
            raise Rejected("the satellite network does not know this packet")
        packet = self._waiting.pop(packet_id)
        self._taken[packet_id] = packet.sent_at or datetime.now(UTC)

    async def check(self) -> None:
        """Return when every feed can be had. Raises Unavailable, or ConfigurationError naming the setting."""
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
        """Ask a feed for the page that is its turn; whatever comes of it, it is left alone for a while."""
        seconds, start = self._account.feed_seconds, feed.start
        try:
            found = await self._page(feed, "message.json", start)
            feed.failure = ""
            self._keep(feed, start, found)
        except Unavailable as error:
            feed.failure = error.reason
            log.warning("a feed of %s: %s", self._account.name, error.reason)
            seconds = max(seconds, error.retry_after_seconds or 0)
        finally:
            feed.next_at = time.monotonic() + seconds

    def _keep(self, feed: Feed, start: int, found: Sequence[Packet]) -> None:
        oldest = datetime.now(UTC) - timedelta(days=FEED_DAYS)
        self._taken = {known: at for known, at in self._taken.items() if at > oldest}
        new = [one for one in found if one.id not in self._taken and one.id not in self._waiting]
        self._waiting |= {packet.id: packet for packet in new}
        feed.turn(start, found, {packet.id for packet in new}, self._since())

    def _since(self) -> datetime:
        return datetime.now(UTC) - timedelta(hours=self._account.max_age_hours)

    async def _page(self, feed: Feed, name: str, start: int) -> list[Packet]:
        """Make one call, not too soon after the last. Raises Unavailable."""
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
        succeed(response)
        return page_of(json_of(response), self._reading())

    def _reading(self) -> Reading:
        account = self._account
        return Reading(
            recipients=addresses_of(account.recipients),
            message_types=types_of(account.message_types),
            emergency_types=types_of(account.emergency_types),
            since=self._since(),
        )


def _age(packet: Packet) -> tuple[bool, datetime, str]:
    """Emergencies first, then by time."""
    return packet.sos is None, packet.sent_at or datetime.max.replace(tzinfo=UTC), packet.id
