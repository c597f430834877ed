"""Bandwidth as an SMS provider: its settings, and how it is wired to its client and its webhook."""

from typing import Annotated, ClassVar

from pydantic import Field, SecretStr

from messaging.settings import Positive
from messaging.sms.http import WebUrl
from messaging.sms.provider import Received, SmsAccount, SmsProvider
from messaging.sms.providers.bandwidth_client import BandwidthProvider
from messaging.sms.providers.bandwidth_webhook import check_credentials, events_of
from messaging.webhook import Acknowledgement, Webhook

BANDWIDTH_URL = "https://messaging.bandwidth.com/api/v2"


class BandwidthAccount(SmsAccount, prefix="SATBRIDGE_BANDWIDTH_"):
    """A Bandwidth account with one messaging application.

    `username` and `password` are those of an API user, `callback_username` and `callback_password` those that the
    application has for its callbacks, both inbound and outbound: without them anybody could write in anybody's name.
    """

    max_characters: ClassVar[int] = 2048
    acknowledgement: ClassVar[Acknowledgement] = Acknowledgement()

    account_id: Annotated[str, Field(pattern="^[0-9A-Za-z]+$")]
    application_id: Annotated[str, Field(min_length=1)]
    username: Annotated[str, Field(min_length=1)]
    password: Annotated[SecretStr, Field(min_length=1)]
    callback_username: Annotated[str, Field(pattern="^[^:]+$")]
    callback_password: Annotated[SecretStr, Field(min_length=1)]
    api_url: WebUrl = BANDWIDTH_URL
    lookup_hours: Positive = 0.5

    def connect(self, public_url: str = "") -> SmsProvider:
        """Return the client of Bandwidth's API."""
        return BandwidthProvider(
            messages_url=f"{self.api_url.rstrip('/')}/users/{self.account_id}/messages",
            application_id=self.application_id,
            username=self.username,
            password=self.password,
            timeout_seconds=self.timeout_seconds,
            connections=self.max_sends,
            webhook_url=self.webhook_at(public_url),
        )

    def parse(self, webhook: Webhook, public_url: str) -> list[Received]:
        """Check the credentials and return what the callback brings."""
        check_credentials(webhook, self.callback_username, self.callback_password)
        return events_of(webhook.body, self.name, media_links=self.media_links)
