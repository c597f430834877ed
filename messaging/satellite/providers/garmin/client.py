"""Garmin inReach Portal Connect: settings, messages to devices (IPC Inbound v2), webhooks from them (IPC Outbound).

Garmin's guides developer.garmin.com/inReach/IPC_Inbound.pdf (3.1.1) and IPC_Outbound.pdf (2.0.8). They name things from
Garmin's side: "outbound" comes to us. `docs/networks/garmin.md` says what is known of it and what is not.
"""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import httpx
from pydantic import AfterValidator, Field, SecretStr, TypeAdapter, ValidationError, model_validator

from messaging.errors import ConfigurationError, GatewayError, Rejected, Unavailable, Uncertain
from messaging.model.message import Message, Receipt
from messaging.model.webhook import Acknowledgement, NotAuthentic, Webhook
from messaging.satellite.account import Codec, Count, Packet, Seconds, SubmittedPart, WebhookAccount
from messaging.satellite.http_client import HttpUrl, RestClient, failure, json_of
from messaging.satellite.providers.garmin.auth import (
    asks_for_token,
    check_bearer,
    check_client,
    has_static_token,
    new_token,
)
from messaging.satellite.providers.garmin.codes import (
    BAD_KEY,
    ERROR_CODES,
    INTERNAL,
    THROTTLED,
    refusal,
)
from messaging.satellite.providers.garmin.messages import (
    binary_packets,
    is_binary,
    request_of,
    text_packets,
)
from messaging.satellite.providers.garmin.webhook import Reading, packets_of

log = logging.getLogger(__name__)

MIN_SECRET_CHARACTERS: Final = 32  # what HS256 asks of a key, RFC 7518 section 3.2
NO_DEVICE: Final = "0" * 15  # an IMEI that no device has, for the probe
SPARE_CONNECTIONS: Final = 1
_NO_KEY: Final = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})


def _texts_by_code(text: str) -> str:
    try:
        texts_by_code(text)
    except ValidationError:
        raise ValueError('must look like {"24": "All is well"}') from None
    return text


def texts_by_code(text: str) -> dict[int, str]:
    """Read a JSON object of texts by message code. Raises pydantic's ValidationError."""
    return TypeAdapter(dict[int, str]).validate_json(text)


class GarminAccount(WebhookAccount, prefix="SATBRIDGE_GARMIN_"):
    """An account at Garmin's Portal Connect; `url` is the tenant's own, and ends before `/Messaging`.

    Webhooks prove themselves with `webhook_token` in the header `token_header`, or as the OAuth client that fetches its
    tokens from us at `/token` below the webhook. With `address_domain`, devices are assigned to users at Garmin, and
    only what is addressed there is ours to deliver. `region` is where phone numbers without a country code are meant.
    `predefined_texts` say what buttons and lists of the devices say, by message code, as a JSON object. Messages are
    dated `clock_margin_seconds` ago: Garmin refuses what comes from the future.
    """

    url: HttpUrl
    api_key: Annotated[SecretStr, Field(min_length=1)]
    webhook_token: Annotated[SecretStr, Field(min_length=1)] | None = None
    token_header: str = "X-Outbound-Auth-Token"  # noqa: S105 (where it stands)
    oauth_client_id: str | None = None
    oauth_client_secret: Annotated[SecretStr, Field(min_length=MIN_SECRET_CHARACTERS)] | None = None
    oauth_token_seconds: Seconds = 3600
    address_domain: str = ""
    region: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    predefined_texts: Annotated[str, AfterValidator(_texts_by_code)] = "{}"
    clock_margin_seconds: Annotated[float, Field(ge=0)] = 5
    max_packet_characters: Count = 160
    max_packet_bytes: Count = 268
    codec: Codec = Codec.TEXT
    max_sends: Count = 8
    max_webhook_bytes: Count = 8 * 1024 * 1024

    @model_validator(mode="after")
    def _some_proof(self) -> "GarminAccount":
        if (self.oauth_client_id is None) != (self.oauth_client_secret is None):
            raise ValueError("…_OAUTH_CLIENT_ID and …_OAUTH_CLIENT_SECRET: set both, or none")
        if self.webhook_token is None and self.oauth_client_id is None:
            raise ValueError("…_WEBHOOK_TOKEN, or …_OAUTH_CLIENT_ID with its secret, must be set")
        return self

    def connect(self) -> "Garmin":
        """Return the network of this account, without I/O."""
        return Garmin(self)

    def packets(self, message: Message, codec: str, max_parts: int) -> list[bytes]:
        """Return the messages to send, as the API takes them but for device and time. Raises Rejected."""
        own = self.codec_of(codec)
        if own is Codec.PROTOBUF:
            return binary_packets(message, self.limit(own).most, max_parts)
        return text_packets(message, self.address_domain, self.limit(own), max_parts)

    def parse(self, webhook: Webhook, public_url: str) -> Sequence[Packet | Receipt]:
        """Return what Garmin posts, event by event; nothing for a request for a token. Raises NotAuthentic."""
        if asks_for_token(webhook):
            check_client(webhook, *self._client())
            return []
        self._check(webhook)
        texts = texts_by_code(self.predefined_texts)
        reading = Reading(
            domain=self.address_domain,
            region=self.region,
            predefined=texts,
            received_at=datetime.now(UTC),
        )
        return packets_of(webhook.body, reading)

    def acknowledge(self, webhook: Webhook) -> Acknowledgement:
        """Return a new token to a client that asks for one."""
        if not asks_for_token(webhook):
            return self.acknowledgement
        return new_token(*self._client(), self.oauth_token_seconds, datetime.now(UTC))

    def _check(self, webhook: Webhook) -> None:
        token = self.webhook_token
        if token and has_static_token(webhook.headers, self.token_header, token.get_secret_value()):
            return
        if self.oauth_client_id is None:
            raise NotAuthentic("the token is missing or wrong")
        check_bearer(webhook.headers, *self._client())

    def _client(self) -> tuple[str, str]:
        if self.oauth_client_id is None or self.oauth_client_secret is None:
            raise NotAuthentic("there is no OAuth client")
        return self.oauth_client_id, self.oauth_client_secret.get_secret_value()


class Garmin:
    """The API for messages to devices; connects when it is first used."""

    def __init__(self, account: GarminAccount) -> None:
        self._account = account
        self._rest = RestClient(
            account.url,
            account.timeout_seconds,
            account.max_sends + SPARE_CONNECTIONS,
            {"X-API-Key": account.api_key.get_secret_value()},
        )
        self._last_milliseconds = 0

    async def send(self, serial: str, packet: bytes) -> SubmittedPart:
        """Hand one message over, for the device with the IMEI `serial`; never repeats by itself.

        Garmin gives no id and never tells what became of a message: the id is the time that it is dated. It charges
        per message. Raises Rejected, Unavailable or Uncertain.
        """
        if not (serial.isascii() and serial.isdecimal() and len(serial) == len(NO_DEVICE)):
            raise Rejected("the device's serial is not an IMEI of 15 digits")
        dated = self._milliseconds()
        path = "/Messaging/Binary" if is_binary(packet) else "/Messaging/Message"
        body = request_of(packet, serial, dated)
        response = await self._rest.call("POST", path, writes=True, refuses=_refuses, json=body)
        if not response.is_success:
            raise self._refusal(response)
        return SubmittedPart(str(dated), _count(json_of(response)))

    async def check(self) -> None:
        """Return when Garmin takes our key. Raises Unavailable, or ConfigurationError naming the setting.

        Asks where a device is that does not exist: an error about the device means that the key is right.
        """
        query = {"IMEI": NO_DEVICE}
        response = await self._rest.call("GET", "/Location/LastKnownLocation", params=query)
        code = _code(response)
        if response.status_code in _NO_KEY or code == BAD_KEY:
            key = self._account.variable("api_key")
            raise ConfigurationError(f"{key}: Garmin does not accept the key")
        if not response.is_success and (code is None or code in (INTERNAL, THROTTLED)):
            raise failure(response) or Unavailable("the satellite network cannot answer now")

    async def aclose(self) -> None:
        """Close the connections; the next call connects again."""
        await self._rest.aclose()

    def _milliseconds(self) -> int:
        """Return the time to date a message with, which no other message has."""
        margin = self._account.clock_margin_seconds
        now = int((time.time() - margin) * 1000)
        self._last_milliseconds = max(now, self._last_milliseconds + 1)
        return self._last_milliseconds

    def _refusal(self, response: httpx.Response) -> GatewayError:
        """Return what the answer means for the message; what only the operator can mend is put off, and said."""
        code = _code(response)
        if response.status_code in _NO_KEY or code == BAD_KEY:
            log.error("Garmin does not accept our key; check %s", self._account.variable("api_key"))
            return refusal(BAD_KEY)
        refused = failure(response, {}) or Unavailable("the satellite network cannot answer now")
        if response.status_code == httpx.codes.NOT_IMPLEMENTED:
            return Rejected("the satellite network cannot do this")
        # An error over there is no refusal of the message, whatever its body says.
        if code is None or isinstance(refused, Unavailable):
            return refused
        return refusal(code)


def _refuses(response: httpx.Response) -> bool:
    """Whether a code in the answer says that no message was taken: all do, but for their own errors."""
    return _code(response) in ERROR_CODES - {INTERNAL}


def _code(response: httpx.Response) -> int | None:
    """Return the error code in an answer, None where there is none."""
    answer = json_of(response)
    code = answer.get("Code") if isinstance(answer, dict) and not response.is_success else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _count(answer: Any) -> int:
    """Return how many messages were taken. Raises Uncertain when the answer makes no sense."""
    count = answer.get("count") if isinstance(answer, dict) else None
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise Uncertain("the satellite network's answer cannot be read")
    if count == 0:
        raise Unavailable("the satellite network took no message")
    return count
