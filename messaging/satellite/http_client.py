"""The HTTP client for a provider's REST API, its login session, and the errors of its statuses."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from typing import Any, Final

import httpx

from messaging.errors import AccountBlocked, GatewayError, Rejected, Unavailable, Uncertain
from messaging.sending.http_exchange import HttpUrl as HttpUrl
from messaging.sending.http_exchange import exchange, new_client
from messaging.sending.retry_after import retry_after

PEER: Final = "the satellite network"
"""The name of the other side in reasons."""

# These refuse the moment or the caller; every other 4xx refuses the request itself.
_PASSING = frozenset({401, 407, 408, 421, 423, 425, 429})
# Of all 5xx only these say that the request had no effect: not implemented, not now, or not in this HTTP version. Any
# other may come after the effect, from the server or a proxy (RFC 9110 section 15.6).
_NO_EFFECT = frozenset({501, 503, 505})


Refuses = Callable[[httpx.Response], bool]
"""Whether the body of an answer says that the request had no effect."""


class RestClient:
    """Makes the calls of one account, each within `timeout_seconds` in all; connects at the first call.

    `headers` are sent with every call. Picklable, without connections, cookies and tokens.
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
        """Pickle the settings only."""
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
        """Make one call, once, and return the answer of any status.

        `content` takes the names of httpx (`json`, `data`, `params`). `writes` marks a call with an effect. Raises
        Unavailable, or Uncertain when the call `writes` and may have had its effect. A 5xx counts as uncertain, unless
        its status or `refuses` says that there was no effect.
        """
        response = await exchange(
            self._open_client(),
            method,
            path,
            peer=PEER,
            timeout_seconds=self._timeout_seconds,
            writes=writes,
            **content,
        )
        may_be_done = response.is_server_error and response.status_code not in _NO_EFFECT
        if writes and may_be_done and not (refuses and refuses(response)):
            raise Uncertain(
                f"the satellite network may have taken it or not (HTTP {response.status_code})"
            )
        return response

    def bear(self, token: str) -> None:
        """Send this bearer token with every later call (RFC 6750), until the connections are closed."""
        self._open_client().headers["Authorization"] = f"Bearer {token}"

    async def aclose(self) -> None:
        """Close the connections; the next call connects again."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _open_client(self) -> httpx.AsyncClient:
        if self._client is None:
            base_url, timeout_seconds, max_connections, headers = self._settings
            self._client = new_client(timeout_seconds, max_connections, base_url)
            self._client.headers.update(headers or {})
        return self._client


class LoginSession:
    """Runs `log_in` when a session is needed, for all callers together, once per `pause_seconds` at most.

    `log_in` raises Unavailable when it fails. For the rest of the pause all callers get the same error without a
    request. So a wrong password never causes a flood of logins. `now` counts seconds.
    """

    def __init__(
        self,
        log_in: Callable[[], Awaitable[None]],
        pause_seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log_in = log_in
        self._pause_seconds = pause_seconds
        self._now = now
        self._lock = asyncio.Lock()
        self._number = 0
        self._tried_at = float("-inf")
        self._failure: Unavailable | None = None

    @property
    def number(self) -> int:
        """The number of the last session; 0 before the first login."""
        return self._number

    async def current(self) -> int:
        """Return the number of the current session, after a login if there is none. Raises Unavailable."""
        if self._number == 0 or self._failure is not None:
            await self.renew(stale=self._number)
        return self._number

    async def renew(self, stale: int) -> bool:
        """Log in again unless the session is newer than number `stale`; False when the last login is too recent.

        Raises Unavailable when the login fails, or failed within the pause.
        """
        async with self._lock:
            if self._number != stale and self._failure is None:
                return True
            if self._now() < self._tried_at + self._pause_seconds:
                if self._failure is not None:
                    raise self._failure
                return False
            self._tried_at = self._now()
            try:
                await self._log_in()
            except Unavailable as error:
                self._failure = copy(error)
                raise
            self._failure = None
            self._number += 1
            return True


def failure(
    response: httpx.Response, refusals: Mapping[int, str] | None = None
) -> GatewayError | None:
    """Return the error of the status of `response`; None for a success.

    With `refusals` (status → reason) a 4xx is `Rejected`: the request can never succeed. Without them, and for
    temporary statuses, it is `Unavailable`, with the peer's Retry-After.
    """
    status = response.status_code
    if response.is_success:
        return None
    if status == httpx.codes.PAYMENT_REQUIRED:
        words = "our account at the satellite network is out of credit (HTTP 402)"
        return AccountBlocked(words, "pay for the account at the satellite network")
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


def raise_on_failure(response: httpx.Response, refusals: Mapping[int, str] | None = None) -> None:
    """Raise the error that `failure` returns, if any."""
    error = failure(response, refusals)
    if error is not None:
        raise error


def json_of(response: httpx.Response) -> Any:
    """Return the JSON in `response`; None without any."""
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None
