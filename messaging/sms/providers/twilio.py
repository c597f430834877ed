"""Twilio as an SMS provider: its settings, and how it is wired to its client and its webhook."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, SecretStr

from messaging.sms.provider import Received, SmsAccount, SmsProvider
from messaging.sms.providers.twilio_client import TwilioProvider
from messaging.sms.providers.twilio_transport import TWILIO_URL
from messaging.sms.providers.twilio_webhook import fields_of, received
from messaging.webhook import Acknowledgement, Webhook

EMPTY_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


def _web_url(text: str) -> str:
    url = text.strip().partition("#")[0]
    if not url.startswith(("http://", "https://")):
        raise ValueError("must begin with https:// or http://")
    return url


WebUrl = Annotated[str, AfterValidator(_web_url)]


class TwilioAccount(SmsAccount, prefix="SATBRIDGE_TWILIO_"):
    """A Twilio account. `webhook_url` is the URL entered at Twilio, when it is not `<public URL>/sms/twilio`.

    While the auth token is being rotated, `old_auth_token` still counts for the signatures of webhooks. At Twilio,
    enter the URL with `#rc=3&rp=all` behind it: otherwise Twilio does not come back after a 503.
    """

    max_characters: ClassVar[int] = 1600
    acknowledgement: ClassVar[Acknowledgement] = Acknowledgement(EMPTY_TWIML, "text/xml")

    account_sid: Annotated[str, Field(pattern="^AC[0-9A-Za-z]+$")]
    auth_token: Annotated[SecretStr, Field(min_length=1)]
    old_auth_token: SecretStr | None = None
    api_url: WebUrl = TWILIO_URL
    webhook_url: WebUrl | None = None

    def connect(self) -> SmsProvider:
        """Return the client of Twilio's API."""
        return TwilioProvider(
            account_sid=self.account_sid,
            auth_token=self.auth_token,
            api_url=self.api_url.rstrip("/"),
            timeout_seconds=self.timeout_seconds,
            connections=self.max_sends,
        )

    def parse(self, webhook: Webhook, public_url: str) -> list[Received]:
        """Check the signature against the public URL and return what the webhook brings."""
        fields = fields_of(webhook, self._signed_url(webhook, public_url), self._tokens())
        return received(fields, webhook.body, self.name)

    def _tokens(self) -> list[str]:
        tokens = [self.auth_token, self.old_auth_token]
        return [token.get_secret_value() for token in tokens if token]

    def _signed_url(self, webhook: Webhook, public_url: str) -> str:
        """Return the URL that Twilio called: never from `Host` or the like, which proxies change."""
        configured = self.webhook_url and self.webhook_url.partition("?")[0]
        base = configured or public_url.rstrip("/") + webhook.path
        return f"{base}?{webhook.query}" if webhook.query else base
