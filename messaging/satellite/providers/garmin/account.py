"""Garmin inReach Portal Connect: the settings of an account, and its wiring.

Garmin's guides developer.garmin.com/inReach/IPC_Inbound.pdf (3.1.1) and IPC_Outbound.pdf (2.0.8) name directions from
Garmin's side: "outbound" events come to us. `docs/networks/garmin.md` lists the known facts and the open questions.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import Field, SecretStr, TypeAdapter, ValidationError, model_validator

from messaging.model.message import Message, Receipt
from messaging.model.webhook import Acknowledgement, NotAuthentic, Webhook, WebhookBytes
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
from messaging.satellite.providers.garmin.auth import (
    asks_for_token,
    check_bearer,
    check_client,
    has_static_token,
    new_token,
)
from messaging.satellite.providers.garmin.client import Garmin
from messaging.satellite.providers.garmin.webhook import EventContext, packets_of
from messaging.satellite.providers.garmin.wire import binary_packets, content_of, text_packets
from messaging.satellite.unreadable import read_or_keep

MIN_SECRET_CHARACTERS: Final = 32  # the minimum of a key for HS256, RFC 7518 section 3.2


def texts_by_code(text: str) -> dict[int, str]:
    """Read a JSON object of texts by message code. Raises ValueError."""
    try:
        return TypeAdapter(dict[int, str]).validate_json(text)
    except ValidationError:
        raise ValueError('must look like {"24": "All is well"}') from None


class GarminAccount(WebhookAccount, prefix="SATBRIDGE_GARMIN_"):
    """An account at Garmin's Portal Connect; `url` is the tenant's own, and ends before `/Messaging`.

    Webhooks authenticate with `webhook_token` in the header `token_header`, or as an OAuth client that fetches its
    tokens from `/token` below the webhook. With `address_domain`, devices are assigned to users at Garmin, and only
    addresses of that domain are ours to deliver. `region` completes phone numbers without a country code.
    `predefined_texts` holds the texts of buttons and lists by message code, as a JSON object. Messages are dated
    `clock_margin_seconds` ago, because Garmin refuses dates in the future.
    """

    serials = SerialSyntax.IMEI

    url: HttpUrl
    api_key: Annotated[SecretStr, Field(min_length=1)]
    webhook_token: Annotated[SecretStr, Field(min_length=1)] | None = None
    token_header: str = "X-Outbound-Auth-Token"  # noqa: S105 (the name of a header)
    oauth_client_id: str | None = None
    oauth_client_secret: Annotated[SecretStr, Field(min_length=MIN_SECRET_CHARACTERS)] | None = None
    oauth_token_seconds: Seconds = 3600
    address_domain: str = ""
    region: Annotated[str, Field(pattern="^[A-Z]{2}$", examples=["EU"])] | None = None
    predefined_texts: Annotated[str, readable_by(texts_by_code)] = "{}"
    clock_margin_seconds: Annotated[float, Field(ge=0)] = 5
    max_packet_characters: Count = 160
    max_packet_bytes: Count = 268
    codec: Codec = Codec.TEXT
    max_sends: Count = 8
    max_webhook_bytes: WebhookBytes = 8 * 1024 * 1024

    @model_validator(mode="after")
    def _require_authentication(self) -> "GarminAccount":
        if (self.oauth_client_id is None) != (self.oauth_client_secret is None):
            raise ValueError("…_OAUTH_CLIENT_ID and …_OAUTH_CLIENT_SECRET: set both, or none")
        if self.webhook_token is None and self.oauth_client_id is None:
            raise ValueError("…_WEBHOOK_TOKEN, or …_OAUTH_CLIENT_ID with its secret, must be set")
        return self

    def connect(self) -> Garmin:
        """Return the client of this account, without I/O."""
        return Garmin(self)

    def packets(self, message: Message, codec: str, max_parts: int) -> list[bytes]:
        """Return the messages of the API, without device and time. Raises Rejected."""
        own = self.codec_of(codec)
        if own is Codec.PROTOBUF:
            return binary_packets(message, self.limit(own).most, max_parts)
        return text_packets(message, self.address_domain, self.limit(own), max_parts)

    def display(self, packet: bytes, codec: str) -> str:
        """Return the text that a device shows of a message of the API."""
        return super().display(content_of(packet), codec)

    def parse(self, webhook: Webhook, public_url: str) -> Sequence[Packet | Receipt]:
        """Return the packets of a post, event by event; none for a token request. Raises NotAuthentic."""
        if asks_for_token(webhook):
            check_client(webhook, *self._client())
            return []
        self._authenticate(webhook)
        context = EventContext(
            domain=self.address_domain,
            region=self.region,
            predefined=texts_by_code(self.predefined_texts),
            received_at=datetime.now(UTC),
        )
        return read_or_keep(self.name, webhook.body, lambda: packets_of(webhook.body, context))

    def acknowledge(self, webhook: Webhook) -> Acknowledgement:
        """Return a new token for a token request, else the usual answer."""
        if not asks_for_token(webhook):
            return self.acknowledgement
        return new_token(*self._client(), self.oauth_token_seconds, datetime.now(UTC))

    def _authenticate(self, webhook: Webhook) -> None:
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
