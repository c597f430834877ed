"""The calls of a provider's REST API; the only place where failures of HTTP become ours."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import httpx
from pydantic import AfterValidator

from messaging.errors import GatewayError, Rejected, Unavailable, Uncertain
from messaging.sending.retry_after import retry_after

log = logging.getLogger(__name__)

IDLE_CONNECTION_SECONDS = (
    4.0  # less than servers commonly keep one, so that none closes under a request
)

BROKEN = "the connection to the satellite network broke"

# Foreign exception → (whether the request may have been written by then, what people read).
FAILURES: Mapping[type[Exception], tuple[bool, str]] = {
    httpx.ConnectError: (False, "the satellite network cannot be reached"),
    httpx.ConnectTimeout: (False, "the satellite network cannot be reached"),
    httpx.PoolTimeout: (False, "too many requests to the satellite network are waiting"),
    httpx.ProxyError: (False, "the proxy on the way to the satellite network refuses"),
    httpx.UnsupportedProtocol: (False, "the satellite network's URL is not an HTTP URL"),
    httpx.InvalidURL: (False, "the satellite network's URL is not an HTTP URL"),
    httpx.LocalProtocolError: (False, "the request to the satellite network is not valid HTTP"),
    httpx.WriteError: (True, BROKEN),
    httpx.WriteTimeout: (True, "the satellite network did not answer in time"),
    httpx.ReadError: (True, BROKEN),
    httpx.ReadTimeout: (True, "the satellite network did not answer in time"),
    httpx.CloseError: (True, BROKEN),
    httpx.RemoteProtocolError: (True, "the satellite network broke off without an answer"),
    httpx.DecodingError: (True, "the satellite network's answer cannot be read"),
    httpx.TooManyRedirects: (True, "the satellite network sends us in circles"),
    TimeoutError: (True, "the satellite network did not answer in time"),
}
# These refuse the moment or the caller, not what was asked; every other 4xx refuses what was asked.
_PASSING = frozenset({401, 407, 408, 421, 423, 425, 429})
# Of all 5xx only these say that nothing was done: it cannot be done, or not now, or not in this HTTP version. Any
# other may come after the work, from there or from something on the way (RFC 9110 section 15.6).
_NOTHING_DONE = frozenset({501, 503, 505})


def _http_url(text: str) -> str:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError("must look like https://host/path") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("must look like https://host/path")
    return text


Refuses = Callable[[httpx.Response], bool]
"""Whether an answer says in its body that what was asked was not done."""

HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""A setting that holds the URL of an API."""


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
        client = self._connected()
        request = client.build_request(method, path, **content)
        response = await exchange(client, request, self._timeout_seconds, writes=writes)
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
            self._client = new_client(base_url, timeout_seconds, max_connections)
            self._client.headers.update(headers or {})
        return self._client


def new_client(base_url: str, timeout_seconds: float, max_connections: int) -> httpx.AsyncClient:
    """Return a client for requests of `timeout_seconds` in all.

    Each step before the request is written (a free connection, TCP, TLS) may take a third of that, so that a host
    that cannot be reached is told from an answer that does not come.
    """
    # At DEBUG httpcore writes every header, and with them cookies and tokens; httpx, every request.
    for name in ("httpcore", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        base_url=base_url,
        timeout=httpx.Timeout(None, connect=timeout_seconds / 3, pool=timeout_seconds / 3),
        limits=httpx.Limits(
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=IDLE_CONNECTION_SECONDS,
        ),
    )


async def exchange(
    client: httpx.AsyncClient, request: httpx.Request, timeout_seconds: float, *, writes: bool
) -> httpx.Response:
    """Send `request` once and return the answer, whatever its status, within `timeout_seconds` in all.

    `writes` says that the request changes something over there. Raises Unavailable, or Uncertain when it `writes`
    and may have taken effect.
    """
    try:
        async with asyncio.timeout(timeout_seconds):
            return await client.send(request)
    except Exception as error:
        raise _translated(error, writes=writes) from None


def _may_be_done(response: httpx.Response) -> bool:
    return response.is_server_error and response.status_code not in _NOTHING_DONE


def _translated(error: Exception, *, writes: bool) -> GatewayError:
    known = next((kind for kind in type(error).__mro__ if kind in FAILURES), None)
    if known is None:
        # httpx does not know all that TLS can raise while it reads; by then the request has been written.
        log.error("a call to a satellite network failed with %s", type(error).__name__)
    written, words = FAILURES[known] if known else (True, BROKEN)
    return Uncertain(words) if written and writes else Unavailable(words)


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
