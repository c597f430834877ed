"""Bandwidth as an SMS provider: its settings, and how it is wired to its client and its webhook."""

from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field, SecretStr, model_validator

from messaging.config.settings import Positive
from messaging.model.webhook import Acknowledgement, Webhook
from messaging.sms.account import Received, SmsAccount, SmsProvider
from messaging.sms.http_client import WebUrl
from messaging.sms.inbound import read_or_keep
from messaging.sms.providers.bandwidth.auth import (
    TOKEN_URL,
    Login,
    PasswordLogin,
    TokenLogin,
    check_credentials,
)
from messaging.sms.providers.bandwidth.client import BandwidthProvider
from messaging.sms.providers.bandwidth.webhook import read_callback

BANDWIDTH_URL = "https://messaging.bandwidth.com/api/v2"
API_USERS_END = (
    "Bandwidth takes user and password until 2 December 2026 only: make an API credential and set"
    " SATBRIDGE_BANDWIDTH_CLIENT_ID and SATBRIDGE_BANDWIDTH_CLIENT_SECRET"
)


class BandwidthAccount(SmsAccount, prefix="SATBRIDGE_BANDWIDTH_"):
    """A Bandwidth account with one messaging application.

    `client_id` and `client_secret` are an API credential, `username` and `password` the older API user, which Bandwidth
    takes until December 2026. `callback_username` and `callback_password` are those of the application for its
    callbacks, both inbound and outbound: without them, strangers could write in the name of any phone.
    """

    max_characters: ClassVar[int] = 2048
    acknowledgement: ClassVar[Acknowledgement] = Acknowledgement()

    account_id: Annotated[str, Field(pattern="^[0-9A-Za-z]+$", examples=["5500001"])]
    application_id: Annotated[str, Field(min_length=1)]
    client_id: Annotated[str, Field(min_length=1)] | None = None
    client_secret: Annotated[SecretStr, Field(min_length=1)] | None = None
    username: Annotated[str, Field(min_length=1)] | None = None
    password: Annotated[SecretStr, Field(min_length=1)] | None = None
    callback_username: Annotated[str, Field(pattern="^[^:]+$", examples=["a name without a colon"])]
    callback_password: Annotated[SecretStr, Field(min_length=1)]
    api_url: WebUrl = BANDWIDTH_URL
    token_url: WebUrl = TOKEN_URL
    lookup_hours: Positive = 0.5

    @model_validator(mode="after")
    def _require_login(self) -> "BandwidthAccount":
        if (self.client_id is None) != (self.client_secret is None):
            raise ValueError("…_CLIENT_ID and …_CLIENT_SECRET: set both")
        if (self.username is None) != (self.password is None):
            raise ValueError("…_USERNAME and …_PASSWORD: set both")
        if self.client_id is None and self.username is None:
            raise ValueError("…_CLIENT_ID and …_CLIENT_SECRET must be set")
        return self

    def connect(self, public_url: str = "") -> SmsProvider:
        """Return the client of Bandwidth's API."""
        login: Login = PasswordLogin(self.username or "", self.password or SecretStr(""))
        if self.client_id is not None and self.client_secret is not None:
            login = TokenLogin(self.token_url, self.client_id, self.client_secret)
        return BandwidthProvider(
            messages_url=f"{self.api_url.rstrip('/')}/users/{self.account_id}/messages",
            application_id=self.application_id,
            login=login,
            timeout_seconds=self.timeout_seconds,
            webhook_url=self.webhook_at(public_url),
            advice="" if self.client_id else API_USERS_END,
        )

    def parse(self, webhook: Webhook, public_url: str) -> list[Received]:
        """Check the credentials and return what the callback brings."""
        check_credentials(webhook, self.callback_username, self.callback_password)
        read = partial(read_callback, webhook.body, self.name, media_links=self.media_links)
        return read_or_keep(self.name, webhook.body, read)
