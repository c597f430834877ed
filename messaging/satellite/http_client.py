"""The calls of a provider's REST API, and what the status of an answer means."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx

from messaging.errors import GatewayError, Rejected, Unavailable, Uncertain
from messaging.sending.http_exchange import HttpUrl as HttpUrl
from messaging.sending.http_exchange import exchange, new_client
from messaging.sending.retry_after import retry_after

PEER: Final = "the satellite network"
"""What reasons call the other end."""

# These refuse the moment or the caller, not what was asked; every other 4xx refuses what was asked.
_PASSING = frozenset({401, 407, 408, 421, 423, 425, 429})
# Of all 5xx only these say that nothing was done: it cannot be done, or not now, or not in this HTTP version. Any
# other may come after the work, from there or from something on the way (RFC 9110 section 15.6).
_NOTHING_DONE = frozenset({501, 503, 505})


Refuses = Callable[[httpx.Response], bool]
"""Whether an answer says in its body that what was asked was not done."""


class RestClient:
    """Makes the calls of one account, each within `timeout_seconds` in all; connects when it is first used.

    `headers` go with every call. Can be pickled: connections, cookies and what they were told stay behind.
    """

    def __init__(
        self,
        base_url: str,
        timeout_seconds: float,
        max_connections: int,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = (base_url, timeout_seconds, max_connections, headers)
        self._timeout_seconds = timeout_seconds
        self._client: httpx.AsyncClient | None = None

    def __reduce__(self) -> tuple[type["RestClient"], tuple[Any, ...]]:
        """Travel as settings."""
        return type(self), self._settings

    async def call(
        self,
        method: str,
        path: str,
        *,
        writes: bool = False,
        refuses: Refuses | None = None,
        **content: Any,
    ) -> httpx.Response:
        """Make one call and return the answer, whatever its status; never repeats by itself.

        `content` is what httpx calls it (`json`, `data`, `params`). `writes` says that the call changes something over
        there. Raises Unavailable, or Uncertain when it `writes` and may have taken effect; so is a 5xx understood,
        unless it says that nothing was done, by its status or because `refuses` reads so in its body.
        """
        response = await exchange(
            self._connected(),
            method,
            path,
            peer=PEER,
            timeout_seconds=self._timeout_seconds,
            writes=writes,
            **content,
        )
        if writes and _may_be_done(response) and not (refuses and refuses(response)):
            raise Uncertain(f"nobody knows whether it was taken (HTTP {response.status_code})")
        return response

    def bear(self, token: str) -> None:
        """Send this token with every later call (RFC 6750), until the connections are closed."""
        self._connected().headers["Authorization"] = f"Bearer {token}"

    async def aclose(self) -> None:
        """Close the connections; the next call connects again."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _connected(self) -> httpx.AsyncClient:
        if self._client is None:
            base_url, timeout_seconds, max_connections, headers = self._settings
            self._client = new_client(timeout_seconds, max_connections, base_url)
            self._client.headers.update(headers or {})
        return self._client


def _may_be_done(response: httpx.Response) -> bool:
    return response.is_server_error and response.status_code not in _NOTHING_DONE


def failure(
    response: httpx.Response, refusals: Mapping[int, str] | None = None
) -> GatewayError | None:
    """Return what the status of `response` means for us; None when it is a success.

    With `refusals` (status → plain words) a 4xx is `Rejected`: the request can never be taken. Without, and for
    statuses that pass by themselves, it is `Unavailable`, with the peer's Retry-After.
    """
    status = response.status_code
    if response.is_success:
        return None
    if refusals is not None and 400 <= status < 500 and status not in _PASSING:
        return Rejected(refusals.get(status, f"the satellite network refuses it (HTTP {status})"))
    if status == httpx.codes.UNAUTHORIZED:
        return Unavailable("the satellite network does not accept our login")
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return Unavailable(
            "the satellite network asks us to slow down", retry_after(response.headers)
        )
    words = f"the satellite network cannot answer now (HTTP {status})"
    return Unavailable(words, retry_after(response.headers))


def succeed(response: httpx.Response, refusals: Mapping[int, str] | None = None) -> None:
    """Raise what `failure` returns; nothing when it is a success."""
    error = failure(response, refusals)
    if error is not None:
        raise error


def json_of(response: httpx.Response) -> Any:
    """Return the JSON in `response`, or None when it holds none."""
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None
