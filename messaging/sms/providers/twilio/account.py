"""Twilio as an SMS provider: its settings, and how it is wired to its client and its webhook."""

from functools import partial
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from messaging.model.webhook import Acknowledgement, Webhook
from messaging.sms.account import Received, SmsProvider
from messaging.sms.fetcher import FetchedAccount, ListedText, TextList
from messaging.sms.http_client import WebUrl
from messaging.sms.inbound import read_or_keep
from messaging.sms.providers.twilio.client import TWILIO_URL, TwilioProvider
from messaging.sms.providers.twilio.signature import authentic_fields
from messaging.sms.providers.twilio.webhook import read_webhook

EMPTY_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


class TwilioAccount(FetchedAccount, prefix="SATBRIDGE_TWILIO_"):
    """A Twilio account. `webhook_url` is the URL entered at Twilio, when it is not `<public URL>/sms/twilio`.

    While the auth token is being rotated, `old_auth_token` still counts for the signatures of webhooks. Without
    `connection_overrides` behind the `#` of the URL, Twilio does not come back after a 503; the callbacks that tell
    what became of a text are asked for with them. With `messaging_service_sid` texts leave by that service, from the
    number of the subscriber, which has to be in it.
    """

    max_characters: ClassVar[int] = 1600
    carries_whatsapp: ClassVar[bool] = True
    acknowledgement: ClassVar[Acknowledgement] = Acknowledgement(EMPTY_TWIML, "text/xml")

    account_sid: Annotated[
        str,
        Field(
            pattern="^AC[0-9A-Za-z]+$",
            examples=["AC and 32 letters and digits, with nothing left out"],
        ),
    ]
    auth_token: Annotated[SecretStr, Field(min_length=1)]
    old_auth_token: SecretStr | None = None
    api_url: WebUrl = TWILIO_URL
    webhook_url: WebUrl | None = None
    messaging_service_sid: (
        Annotated[
            str,
            Field(
                pattern="^MG[0-9A-Za-z]+$",
                examples=["MG and 32 letters and digits, with nothing left out"],
            ),
        ]
        | None
    ) = None
    connection_overrides: str = "rc=3&rp=all"
    low_balance: Annotated[float, Field(ge=0)] = 10

    @property
    def history(self) -> str:
        """The name of the list: another account under the same name has a list of its own."""
        return f"{self.name} {self.account_sid}"

    def connect(self, public_url: str = "") -> SmsProvider:
        """Return the client of Twilio's API."""
        return self._client(public_url)

    def connect_list(self) -> TextList:
        """Return the client of Twilio's API, for its list of texts."""
        return self._client("")

    def _client(self, public_url: str) -> TwilioProvider:
        return TwilioProvider(
            account_sid=self.account_sid,
            auth_token=self.auth_token,
            api_url=self.api_url.rstrip("/"),
            timeout_seconds=self.timeout_seconds,
            messaging_service_sid=self.messaging_service_sid,
            status_url=self._callback(public_url) if self._can_be_called(public_url) else None,
            advice=self._advice(public_url),
            low_balance=self.low_balance,
        )

    def parse(self, webhook: Webhook, public_url: str) -> list[Received]:
        """Check the signature against the public URL and return what the webhook brings."""
        # The URL that Twilio called: never from `Host` or the like, which proxies change.
        configured = self.webhook_url and self.webhook_url.partition("?")[0]
        base = configured or public_url.rstrip("/") + webhook.path
        url = f"{base}?{webhook.query}" if webhook.query else base
        tokens = [token for token in (self.auth_token, self.old_auth_token) if token]
        fields = authentic_fields(webhook, url, [token.get_secret_value() for token in tokens])
        read = partial(read_webhook, fields, webhook.body, self.name, media_links=self.media_links)
        return read_or_keep(self.name, webhook.body, read)

    def read(self, text: ListedText) -> list[Received]:
        """Return what the webhook of a listed text would have brought."""
        read = partial(read_webhook, text.form, text.raw, self.name, media_links=self.media_links)
        return read_or_keep(self.name, text.raw, read)

    def _callback(self, public_url: str) -> str:
        """Return the URL that Twilio shall call, with the rules by which it comes back."""
        url = self.webhook_url or self.webhook_at(public_url)
        return f"{url}#{self.connection_overrides}" if self.connection_overrides else url

    def _can_be_called(self, public_url: str) -> bool:
        """Whether Twilio takes the URL: it refuses texts whose callback has a host name with `_` or of no host."""
        host = urlsplit(self._callback(public_url)).hostname or "localhost"
        return host != "localhost" and "_" not in host

    def _advice(self, public_url: str) -> str:
        if not self._can_be_called(public_url):
            return "Twilio cannot call us at SATBRIDGE_PUBLIC_URL, so the gateway does not learn what becomes of a text"
        url = self._callback(public_url)
        return (
            f"at each of its numbers enter {url} for incoming messages, and as the fallback URL too"
        )
