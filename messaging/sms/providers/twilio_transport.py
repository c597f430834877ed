"""Carries the requests of Twilio's SDK to a configurable URL, and turns what `requests` raises into our errors."""

import logging
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout, InvalidURL, RequestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from urllib3.exceptions import NewConnectionError

from messaging.errors import GatewayError, Unavailable, Uncertain

log = logging.getLogger(__name__)

TWILIO_URL = "https://api.twilio.com"
NOT_REACHED = "the SMS provider cannot be reached"
NO_ANSWER = "the SMS provider did not answer; it may have taken the text"


class Transport(TwilioHttpClient):  # type: ignore[misc]
    """The SDK's HTTP client, bounded in time and in connections, that knows whether a request was written.

    A `POST` whose fate is unknown raises `Uncertain`, what certainly had no effect raises `Unavailable`.
    """

    def __init__(self, api_url: str, timeout_seconds: float, connections: int) -> None:
        super().__init__(timeout=timeout_seconds)
        self._api_url = api_url
        for scheme in ("https://", "http://"):
            self.session.mount(scheme, HTTPAdapter(pool_maxsize=connections))

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """Make the request that the SDK wants to make to api.twilio.com."""
        try:
            response = super().request(
                method, self._api_url + url.removeprefix(TWILIO_URL), *args, **kwargs
            )
        except RequestException as error:
            raise _error_of(error, method) from None
        if response.status_code == 429:
            raise Unavailable("the SMS provider asked for fewer requests", _wish(response))
        if response.status_code >= 500:
            raise _broken(response, method)
        return response

    def log_request(self, kwargs: dict[str, Any]) -> None:
        """Log nothing: the SDK would log phone numbers."""

    def log_response(self, status_code: int, response: Any) -> None:
        """Log nothing, as above."""


def _broken(response: Response, method: str) -> GatewayError:
    reason = f"the SMS provider had an error of its own (status {response.status_code})"
    if method == "POST":
        return Uncertain(f"{reason}; it may have taken the text")
    return Unavailable(reason, _wish(response))


def _error_of(error: RequestException, method: str) -> GatewayError:
    log.warning("request to Twilio failed with %s", type(error).__name__)
    if _never_written(error):
        return Unavailable(NOT_REACHED)
    return Uncertain(NO_ANSWER) if method == "POST" else Unavailable(NOT_REACHED)


def _never_written(error: RequestException) -> bool:
    """Whether the connection was not even there: refused, no such host, no time, wrong certificate."""
    before = (NewConnectionError, ConnectTimeout, InvalidURL, ssl.SSLCertVerificationError)
    return any(isinstance(cause, before) for cause in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and the errors inside: `requests` wraps those of urllib3, which wraps those of the socket."""
    while error is not None:
        yield error
        inner = error.args[0] if error.args else None
        nearest = (getattr(error, "reason", None), inner, error.__cause__, error.__context__)
        error = next((cause for cause in nearest if isinstance(cause, BaseException)), None)


def _wish(response: Response) -> float | None:
    """Return the seconds of `Retry-After` (RFC 9110, section 10.2.3), if it is there and makes sense."""
    text = str((response.headers or {}).get("Retry-After", "")).strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
