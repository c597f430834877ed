"""RockBLOCK by the web services of Ground Control (Iridium SBD): settings, messages to devices, webhooks from them.

Ground Control's pages docs.groundcontrol.com/iot/rockblock/web-services. `docs/networks/rockblock.md` says what is
known of it and what is not.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr

from messaging.errors import ConfigurationError, Rejected, Unavailable, Uncertain
from messaging.model.message import Message, Receipt
from messaging.model.webhook import NotAuthentic, Webhook
from messaging.satellite.account import Count, Packet, Seconds, SubmittedPart, WebhookAccount
from messaging.satellite.http_client import HttpUrl, RestClient, succeed
from messaging.satellite.providers.iridium import (
    PathSecret,
    credits_for,
    fields_of,
    flat_packet,
    has_secret,
)
from messaging.satellite.providers.rockblock.errors import (
    BAD_LOGIN,
    LOGIN_WORDS,
    NO_CREDIT,
    failed_code,
    queued_id,
)
from messaging.satellite.providers.rockblock.webhook import PUBLISHED_KEY, claims_of, read_key

log = logging.getLogger(__name__)

NO_DEVICE = "0" * 15  # an IMEI that no modem has, for the probe
SPARE_CONNECTIONS = 1


def _key_text(text: str) -> str:
    read_key(text)
    return text


class RockblockAccount(WebhookAccount, prefix="SATBRIDGE_ROCKBLOCK_"):
    """An account at RockBLOCK.

    `url` ends before `/MT`. `public_key` checks the tokens of webhooks (the published one without it). With a
    `webhook_secret` every webhook has to have it last in its path; without, only webhooks with a token are taken.
    `flush` empties a device's queue before each message: only the newest gets through, and never more than a part.
    """

    username: str
    password: SecretStr
    url: HttpUrl = "https://rockblock.rock7.com/rockblock"
    public_key: Annotated[str, AfterValidator(_key_text)] | None = None
    webhook_secret: PathSecret | None = None
    max_token_age_hours: Seconds = 720
    max_position_error_km: Annotated[float, Field(ge=0)] = 10
    max_packet_bytes: Count = 270
    credit_bytes: Count = 50
    hold_seconds: Seconds = 1800
    flush: bool = False

    def connect(self) -> "Rockblock":
        """Return the network of this account, without I/O."""
        return Rockblock(self)

    def packets(self, message: Message, codec: str, max_parts: int) -> list[bytes]:
        """As any account; one packet at most with `flush`, since each would empty the queue of those before it."""
        return super().packets(message, codec, 1 if self.flush else max_parts)

    def parse(self, webhook: Webhook, public_url: str) -> Sequence[Packet | Receipt]:
        """Return the packet in a webhook of any of the three formats; values come from the token where there is one."""
        if self.webhook_secret and not has_secret(webhook, self.webhook_secret):
            raise NotAuthentic("the secret is not in its path")
        fields = fields_of(webhook)
        token = fields.get("JWT")
        if token:
            fields = self._claims(token)
        elif not self.webhook_secret:
            raise NotAuthentic("the token is missing, and no secret is set for webhooks without")
        return [flat_packet(fields, webhook.body, self.max_position_error_km)]

    def _claims(self, token: Any) -> Any:
        key = read_key(self.public_key or PUBLISHED_KEY)
        max_age = timedelta(hours=self.max_token_age_hours)
        return claims_of(str(token), key, datetime.now(UTC), max_age)


class Rockblock:
    """The web service for messages to devices; connects when it is first used. It never says what arrived."""

    def __init__(self, account: RockblockAccount) -> None:
        self._account = account
        connections = account.max_sends + SPARE_CONNECTIONS
        self._rest = RestClient(account.url, account.timeout_seconds, connections)

    async def send(self, serial: str, packet: bytes) -> SubmittedPart:
        """Queue one packet for the device with this IMEI; never repeats by itself.

        Returns the network's id and the credits that it charges. Raises Rejected, Unavailable, or Uncertain.
        """
        account = self._account
        if len(packet) > account.max_packet_bytes:
            raise Rejected(f"{len(packet)} bytes are too long for one packet of this network")
        if not (serial.isascii() and serial.isdecimal()):
            raise Rejected("the device's serial is not an IMEI, which this network needs")
        flush = {"flush": "yes"} if account.flush else {}
        answer = await self._post({"imei": serial, "data": packet.hex(), **flush}, writes=True)
        self._tell_operator(failed_code(answer))
        network_id = queued_id(answer, account.hold_seconds)
        return SubmittedPart(network_id, credits_for(len(packet), account.credit_bytes))

    async def check(self) -> None:
        """Return when RockBLOCK takes our login, which an empty message shows free of charge.

        Raises ConfigurationError naming the settings, or Unavailable.
        """
        answer = await self._post({"imei": NO_DEVICE, "data": ""}, writes=False)
        code = failed_code(answer)
        if code == BAD_LOGIN:
            raise ConfigurationError(f"{self._login_settings}: {LOGIN_WORDS}")
        if not code or code == "99":
            raise Unavailable("the satellite network's answer cannot be read")

    async def aclose(self) -> None:
        """Close the connections; the next call connects again."""
        await self._rest.aclose()

    def _tell_operator(self, code: str) -> None:
        """Say in the log what no message can help, and somebody has to."""
        if code == BAD_LOGIN:
            log.error("RockBLOCK does not accept our login; check %s", self._login_settings)
        if code == NO_CREDIT:
            log.error("the account %s at RockBLOCK is out of credit", self._account.name)

    @property
    def _login_settings(self) -> str:
        return f"{self._account.variable('username')} and {self._account.variable('password')}"

    async def _post(self, form: dict[str, str], *, writes: bool) -> str:
        """Return the line that answers a form. The login travels in the body: an URL stands in logs."""
        account = self._account
        login = {"username": account.username, "password": account.password.get_secret_value()}
        response = await self._rest.call("POST", "/MT", writes=writes, data=login | form)
        if response.is_server_error and writes:
            # Its own errors come with 200; this is from something before it, and says nothing of what was done.
            raise Uncertain(
                f"the satellite network cannot answer now (HTTP {response.status_code})"
            )
        succeed(response)
        return response.text
