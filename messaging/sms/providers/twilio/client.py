"""Sends texts through Twilio's SDK, looks them up and probes the account; the SDK's exceptions end here."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import httpx
from pydantic import SecretStr
from twilio.base import values
from twilio.base.exceptions import TwilioException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from messaging.errors import ConfigurationError, GatewayError, Unavailable, Uncertain
from messaging.model.address_syntax import WHATSAPP
from messaging.model.message import SubmittedPart
from messaging.sms.account import OutgoingText
from messaging.sms.errors import Meaning, report_probe
from messaging.sms.fetcher import ListedText
from messaging.sms.http_client import MAYBE_TAKEN, NO_SENSE, HttpClient
from messaging.sms.inbound import MAX_MEDIA
from messaging.sms.providers.twilio.errors import meaning
from messaging.sms.providers.twilio.history import listed_text, with_media

log = logging.getLogger(__name__)

TWILIO_URL: Final = "https://api.twilio.com"
LOOKUP_LIMIT: Final = 200
PAGE_SIZE: Final = 500
NOT_TAKEN: Final = ("failed", "undelivered", "canceled")


class TwilioHttpClient(AsyncHttpClient):  # type: ignore[misc]
    """The HTTP client of the SDK, at a configurable URL. It logs nothing: the SDK's own would log phone numbers."""

    def __init__(self, api_url: str, timeout_seconds: float) -> None:
        super().__init__(log, is_async=True, timeout=timeout_seconds)
        self.api_url = api_url
        self._http = HttpClient(timeout_seconds)

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Send a request that the SDK makes to api.twilio.com. Raises Unavailable; a POST also Uncertain."""
        answer = await self._http.request(
            method,
            self.api_url + uri.removeprefix(TWILIO_URL),
            writes=method == "POST",
            auth=httpx.BasicAuth(*auth) if auth else None,
            params=params,
            data=data,
            headers=headers,
        )
        return Response(answer.status_code, answer.text, answer.headers)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


class TwilioProvider:
    """Twilio's REST API, version 2010-04-01; every request is bounded by `timeout_seconds`.

    Twilio reports to `status_url` what becomes of a text; `advice` is what the operator has to enter at Twilio.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: SecretStr,
        api_url: str,
        timeout_seconds: float,
        messaging_service_sid: str | None = None,
        status_url: str | None = None,
        advice: str = "",
        low_balance: float = 0,
    ) -> None:
        self._messaging_service_sid = messaging_service_sid or values.unset
        self._status_url = status_url or values.unset
        self._advice = advice
        self._low_balance = low_balance
        self._account_sid = account_sid
        self._http = TwilioHttpClient(api_url, timeout_seconds)
        self._client = Client(
            account_sid,
            auth_token.get_secret_value(),
            http_client=self._http,
            # Not the process's own: TWILIO_EDGE and TWILIO_REGION there would change the host name.
            environment={"TWILIO_EDGE": "", "TWILIO_REGION": ""},
        )

    async def send(self, text: OutgoingText) -> SubmittedPart:
        """Create a message (`POST …/Messages.json`) and return its sid and its segments."""
        # What comes back after the request was written, and cannot be read, decides nothing.
        with _translate_errors(Uncertain(MAYBE_TAKEN)):
            # The number stays the subscriber's own, also where a messaging service could choose another.
            is_whatsapp = text.sender.startswith(WHATSAPP)
            message = await self._client.messages.create_async(
                from_=text.sender,
                to=text.recipient,
                body=text.body,
                # A messaging service of numbers has no sender of WhatsApp.
                messaging_service_sid=values.unset if is_whatsapp else self._messaging_service_sid,
                status_callback=self._status_url,
            )
            sid, error_code = message.sid, message.error_code
        if error_code:
            raise meaning(error_code, None).error()
        if not isinstance(sid, str) or not sid:
            raise Uncertain(MAYBE_TAKEN)
        # A number in a string; 0 while a messaging service has not decided.
        segments = str(message.num_segments)
        count = int(segments[:6]) if segments.isascii() and segments.isdecimal() else 0
        return SubmittedPart(sid, count or None)

    async def find_sent(self, text: OutgoingText, since: datetime) -> list[str]:
        """List the newest messages of this pair and return the sids of those with this very text, oldest first."""
        with _translate_errors(Unavailable(NO_SENSE)):
            # Not filtered by `DateSent` at Twilio: a message that is still queued there has none yet.
            messages = await self._client.messages.list_async(
                from_=text.sender, to=text.recipient, limit=LOOKUP_LIMIT
            )
            return [str(one.sid) for one in reversed(messages) if _is_same(one, text.body, since)]

    async def pages(self, since: datetime) -> AsyncIterator[Sequence[ListedText]]:
        """Yield the texts of the account since the day of `since`, in and out, in pages, the newest first.

        Raises Unavailable.
        """
        with _translate_errors(Unavailable(NO_SENSE)):
            # Twilio documents days for this filter, and the newest first.
            page = await self._client.messages.page_async(
                date_sent_after=since.date().isoformat(), page_size=PAGE_SIZE
            )
        while page is not None:
            with _translate_errors(Unavailable(NO_SENSE)):
                texts = _texts_of(page)
            yield texts
            with _translate_errors(Unavailable(NO_SENSE)):
                page = await page.next_page_async()

    async def add_media(self, text: ListedText) -> ListedText:
        """Return the text with the links to its pictures. Raises Unavailable."""
        with _translate_errors(Unavailable(NO_SENSE)):
            messages = self._client.messages(text.network_id)
            media = await messages.media.list_async(limit=MAX_MEDIA)
            return with_media(text, media, self._http.api_url)

    async def check(self) -> str:
        """Fetch the account, which costs nothing. Raises ConfigurationError or Unavailable."""
        with _translate_errors(Unavailable(NO_SENSE), report_probe):
            account = await self._client.api.v2010.accounts(self._account_sid).fetch_async()
            status = account.status
        if status != "active":
            raise ConfigurationError("SATBRIDGE_TWILIO_ACCOUNT_SID: the account is not active")
        parts = ("the account is active", await self._balance(), self._advice)
        return "; ".join(part for part in parts if part)

    async def _balance(self) -> str:
        """Return the balance of the account, with a warning when it is low; empty where Twilio does not tell it.

        A sub-account has none of its own.
        """
        try:
            with _translate_errors(Unavailable(NO_SENSE), report_probe):
                account = self._client.api.v2010.accounts(self._account_sid)
                found = await account.balance.fetch_async()
            amount, currency = float(found.balance), str(found.currency)
        except (GatewayError, TypeError, ValueError):
            return ""
        low = self._low_balance
        warning = f", LOW: less than SATBRIDGE_TWILIO_LOW_BALANCE ({low:g})" if amount < low else ""
        return f"balance {amount:.2f} {currency}{warning}"

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


@contextmanager
def _translate_errors(
    unreadable: GatewayError, explain: Callable[[Meaning], Exception] | None = None
) -> Iterator[None]:
    """Turn what the SDK raises into our errors; `unreadable` is for an answer that the SDK cannot read."""
    try:
        yield
    except GatewayError:
        raise
    except TwilioException as error:
        # The exception for a list that failed carries the answer as its second argument.
        answer = error.args[1] if len(error.args) > 1 else None
        status = getattr(error, "status", None) or getattr(answer, "status_code", None)
        found = meaning(getattr(error, "code", None), status)
        raise (explain(found) if explain else found.error()) from None
    except Exception as error:
        log.warning("Twilio's answer could not be read: %s", type(error).__name__)
        raise unreadable from None


def _texts_of(page: Iterator[Any]) -> list[ListedText]:
    """Return the texts of a page without those that make no sense. Raises ValueError if none makes any."""
    texts, unreadable = list[ListedText](), 0
    while True:
        try:
            text = listed_text(next(page))
        except StopIteration:
            break
        except (AttributeError, TypeError, ValueError):
            text = None
        if text is None:
            unreadable += 1
        else:
            texts.append(text)
    if unreadable:
        log.warning("%d entries of Twilio's list of texts make no sense", unreadable)
    if unreadable and not texts:
        raise ValueError("no entry of the list makes sense")
    return texts


def _is_same(message: Any, body: str, since: datetime) -> bool:
    return (
        (message.body or "").strip() == body.strip()
        and message.direction != "inbound"
        and message.status not in NOT_TAKEN
        and (message.date_created is None or message.date_created >= since)
    )
