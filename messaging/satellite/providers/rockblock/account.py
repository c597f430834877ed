"""RockBLOCK by the web services of Ground Control (Iridium SBD): the settings of an account, and its wiring.

Ground Control's pages docs.groundcontrol.com/iot/rockblock/web-services. `docs/networks/rockblock.md` lists the known
facts about the service and the open questions.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field, SecretStr

from messaging.model.message import Message, Receipt
from messaging.model.webhook import NotAuthentic, Webhook
from messaging.satellite.account import (
    Codec,
    Count,
    Packet,
    Seconds,
    SerialSyntax,
    WebhookAccount,
    readable_by,
)
from messaging.satellite.http_client import HttpUrl
from messaging.satellite.providers.iridium import fields_of, flat_packet
from messaging.satellite.providers.rockblock.auth import PUBLISHED_KEY, claims_of, read_key
from messaging.satellite.providers.rockblock.client import Rockblock
from messaging.satellite.unreadable import read_or_keep
from messaging.satellite.webhook_secret import PathSecret, has_secret


class RockblockAccount(WebhookAccount, prefix="SATBRIDGE_ROCKBLOCK_"):
    """An account at RockBLOCK.

    `url` ends before `/MT`. `public_key` checks the tokens of webhooks; the published key is the default. With a
    `webhook_secret`, every webhook must have it as the last part of its path; without one, a webhook must have a
    token. `flush` empties a device's queue before each message: only the newest message gets through, and a message
    has one part at most.
    """

    serials = SerialSyntax.IMEI
    new_codec = Codec.TEXT

    username: str
    password: SecretStr
    url: HttpUrl = "https://rockblock.rock7.com/rockblock"
    public_key: Annotated[str, readable_by(read_key)] | None = None
    webhook_secret: PathSecret | None = None
    max_token_age_hours: Seconds = 720
    max_position_error_km: Annotated[float, Field(ge=0)] = 10
    max_packet_bytes: Count = 270
    credit_bytes: Count = 50
    hold_seconds: Seconds = 1800
    flush: bool = False

    @property
    def is_shared(self) -> bool:
        """Whether only a token proves a webhook: one key signs those of all customers, and names none of them."""
        return self.webhook_secret is None

    def connect(self) -> Rockblock:
        """Return the client of this account, without I/O."""
        return Rockblock(self)

    def packets(self, message: Message, codec: str, max_parts: int) -> list[bytes]:
        """Cut as any account does; with `flush` into one packet at most, because each flush deletes the others."""
        return super().packets(message, codec, 1 if self.flush else max_parts)

    def parse(self, webhook: Webhook, public_url: str) -> Sequence[Packet | Receipt]:
        """Return the packet of a webhook in any of the three formats; with a token, read the values from it alone."""
        if self.webhook_secret and not has_secret(webhook, self.webhook_secret):
            raise NotAuthentic("the secret is not in its path")
        fields = fields_of(webhook)
        token = fields.get("JWT")
        if token:
            key = read_key(self.public_key or PUBLISHED_KEY)
            max_age = timedelta(hours=self.max_token_age_hours)
            fields = claims_of(str(token), key, datetime.now(UTC), max_age)
        elif not self.webhook_secret:
            raise NotAuthentic("the token is missing, and no secret is set for webhooks without")
        error_km = self.max_position_error_km
        return read_or_keep(
            self.name, webhook.body, lambda: [flat_packet(fields, webhook.body, error_km)]
        )
