"""Carries the requests of Twilio's SDK to a configurable URL, bounded, with our errors for what breaks."""

from typing import Any

from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response

from messaging.sms.http_errors import broken_off, overloaded

TWILIO_URL = "https://api.twilio.com"


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
            raise broken_off(error, "Twilio", writes=method == "POST") from None
        failure = overloaded(response.status_code, response.headers or {}, writes=method == "POST")
        if failure is not None:
            raise failure
        return response

    def log_request(self, kwargs: dict[str, Any]) -> None:
        """Log nothing: the SDK would log phone numbers."""

    def log_response(self, status_code: int, response: Any) -> None:
        """Log nothing, as above."""
