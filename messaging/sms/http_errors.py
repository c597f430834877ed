"""What failures of HTTP mean when a provider's API is called through `requests`: here they become ours."""

import logging
import ssl
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator
from requests.exceptions import ConnectTimeout, InvalidURL, RequestException
from urllib3.exceptions import NewConnectionError

from messaging.errors import GatewayError, Unavailable, Uncertain
from messaging.sending.retry_after import retry_after

log = logging.getLogger(__name__)

NOT_REACHED = "the SMS provider cannot be reached"
NO_ANSWER = "the SMS provider did not answer; it may have taken the text"
NO_SENSE = "the SMS provider's answer made no sense"
MAYBE_TAKEN = f"{NO_SENSE}; it may have taken the text"


def _web_url(text: str) -> str:
    url = text.strip().partition("#")[0]
    if not url.startswith(("http://", "https://")):
        raise ValueError("must begin with https:// or http://")
    return url


WebUrl = Annotated[str, AfterValidator(_web_url)]
"""A setting that holds a URL; a fragment is left out."""


def broken_off(error: RequestException, provider: str, *, writes: bool) -> GatewayError:
    """Return what an exception means: Uncertain when the request `writes` and may have been written."""
    log.warning("request to %s failed with %s", provider, type(error).__name__)
    if _never_written(error):
        return Unavailable(NOT_REACHED)
    return Uncertain(NO_ANSWER) if writes else Unavailable(NOT_REACHED)


def overloaded(status: int, headers: Mapping[str, str], *, writes: bool) -> GatewayError | None:
    """Return what 429 and 5xx mean, None for every other status. After a 5xx nobody knows what was done."""
    if status == 429:
        return Unavailable("the SMS provider asked for fewer requests", retry_after(headers))
    if status < 500:
        return None
    reason = f"the SMS provider had an error of its own (status {status})"
    if writes:
        return Uncertain(f"{reason}; it may have taken the text")
    return Unavailable(reason, retry_after(headers))


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
