"""The public feeds of SPOT: the settings of an account, and its wiring. SPOT carries nothing to devices.

SPOT's page "API support" (findmespot.com). `docs/networks/spot.md` lists the known facts and the open questions.
"""

from datetime import datetime
from typing import Annotated, Final, Never

from pydantic import SecretStr

from messaging.errors import Rejected
from messaging.model.message import Address, Message, Network
from messaging.satellite.account import (
    Seconds,
    SerialSyntax,
    readable_by,
)
from messaging.satellite.codecs.protobuf import Undecodable, mailbox, phone_number
from messaging.satellite.http_client import HttpUrl
from messaging.satellite.poller import PolledAccount
from messaging.satellite.providers.spot.client import ONE_WAY, Spot
from messaging.satellite.providers.spot.feed import feeds_of
from messaging.satellite.providers.spot.wire import ItemContext

SPOT_URL: Final = "https://api.findmespot.com/spot-main-web/consumer/rest-api/2.0/public/feed"


def check_feeds(text: SecretStr) -> None:
    """Raise ValueError when a text holds no feeds."""
    feeds_of(text.get_secret_value())


def addresses_of(text: str) -> tuple[Address, ...]:
    """Read mailboxes and phone numbers, separated by commas. Raises ValueError."""
    return tuple(_address(one.strip()) for one in text.split(",") if one.strip())


def types_of(text: str) -> frozenset[str]:
    """Read names of message types, separated by commas."""
    return frozenset(name.strip().upper() for name in text.split(",") if name.strip())


class SpotAccount(PolledAccount, prefix="SATBRIDGE_SPOT_"):
    """Feeds of SPOT devices: `ID` or `ID:password`, separated by commas. A device's serial is its messenger id.

    Texts go to `recipients`, because devices name no recipient. Each feed is polled every `feed_seconds` at most, with
    `between_feeds_seconds` between two calls. After a 403 a feed waits for `blocked_seconds`. Of messages older than
    `max_age_hours` only the position is used.
    """

    serials = SerialSyntax.ESN

    feeds: Annotated[SecretStr, readable_by(check_feeds)]
    url: HttpUrl = SPOT_URL
    recipients: Annotated[str, readable_by(addresses_of)] = ""
    message_types: str = "OK,CUSTOM"
    emergency_types: str = "HELP,SOS,911"
    feed_seconds: Seconds = 150
    between_feeds_seconds: Seconds = 2
    blocked_seconds: Seconds = 3600
    max_age_hours: Seconds = 72
    poll_seconds: Seconds = 150

    def connect(self) -> Spot:
        """Return the client of this account, without I/O."""
        return Spot(self)

    def packets(self, message: Message, codec: str, max_parts: int) -> Never:
        """Raise Rejected: SPOT carries nothing to devices."""
        raise Rejected(ONE_WAY)

    def item_context(self, since: datetime) -> ItemContext:
        """Return the options for reading items; texts sent before `since` are ignored."""
        return ItemContext(
            recipients=addresses_of(self.recipients),
            message_types=types_of(self.message_types),
            emergency_types=types_of(self.emergency_types),
            since=since,
        )


def _address(text: str) -> Address:
    try:
        if "@" in text:
            return Address(Network.EMAIL, mailbox(text))
        return Address(Network.SMS, phone_number(text))
    except Undecodable as error:
        raise ValueError(error.reason) from None
