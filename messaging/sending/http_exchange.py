"""One HTTP exchange with a provider: bounded in time, and clear about whether the request may have been written."""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import httpx
from pydantic import AfterValidator

from messaging.errors import GatewayError, Unavailable, Uncertain

log = logging.getLogger(__name__)

# Less than servers commonly keep an idle connection, so that none closes under a request.
IDLE_CONNECTION_SECONDS: Final = 4.0
HIGHEST_PORT: Final = 65_535

BROKEN: Final = "the connection to {} broke"
NO_ANSWER: Final = "{} did not answer in time"
NOT_REACHED: Final = "{} cannot be reached"
NO_URL: Final = "{}'s URL is not an HTTP URL"
STOOD_STILL: Final = "the machine stood still before the request to {} was written"
BEFORE_WRITING: Final = frozenset(
    {"http11.send_request_headers.started", "http2.send_request_headers.started"}
)
"""The events of httpcore just before the first byte of a request."""


class StoodStill(Exception):
    """The wall clock has passed the time of the request, and the clock of the time-outs has not: a suspend."""


# Foreign exception → (whether the request may have been written by then, the reason for the history).
FAILURES: Final[Mapping[type[Exception], tuple[bool, str]]] = {
    StoodStill: (False, STOOD_STILL),
    httpx.ConnectError: (False, NOT_REACHED),
    httpx.ConnectTimeout: (False, NOT_REACHED),
    httpx.PoolTimeout: (False, "too many requests to {} are waiting"),
    httpx.ProxyError: (False, "the proxy on the way to {} refuses"),
    httpx.UnsupportedProtocol: (False, NO_URL),
    httpx.InvalidURL: (False, NO_URL),
    httpx.LocalProtocolError: (False, "the request to {} is not valid HTTP"),
    httpx.WriteError: (True, BROKEN),
    httpx.WriteTimeout: (True, NO_ANSWER),
    httpx.ReadError: (True, BROKEN),
    httpx.ReadTimeout: (True, NO_ANSWER),
    httpx.CloseError: (True, BROKEN),
    httpx.RemoteProtocolError: (True, "{} broke off without an answer"),
    httpx.DecodingError: (True, "{}'s answer cannot be read"),
    httpx.TooManyRedirects: (True, "{} sends us in circles"),
    TimeoutError: (True, NO_ANSWER),
}


def _http_url(text: str) -> str:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError("must look like https://host/path") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("must look like https://host/path")
    return text


HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""A setting that holds the URL of an API."""


def new_client(
    timeout_seconds: float,
    max_connections: int,
    base_url: str = "",
    tls: ssl.SSLContext | bool = True,
) -> httpx.AsyncClient:
    """Return a client for requests of `timeout_seconds` in all.

    Each step before the request is written (a free connection, TCP, TLS) may take a third of that. So a host that
    cannot be reached is told from an answer that does not come.
    """
    # At DEBUG httpcore logs every header, and with them cookies and tokens; httpx logs every request.
    for name in ("httpcore", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        base_url=base_url,
        verify=tls,
        timeout=httpx.Timeout(None, connect=timeout_seconds / 3, pool=timeout_seconds / 3),
        limits=httpx.Limits(
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=IDLE_CONNECTION_SECONDS,
        ),
    )


async def exchange(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    peer: str,
    timeout_seconds: float,
    writes: bool,
    auth: httpx.Auth | None = None,
    wall_clock: Callable[[], float] = time.time,
    **content: Any,
) -> httpx.Response:
    """Send one request and return the answer with any status, within `timeout_seconds` in all.

    `content` is what httpx calls it (`json`, `data`, `params`). `writes` says that the request changes something over
    there. Raises Unavailable, or Uncertain when it `writes` and may have taken effect; the reason calls the other end
    `peer`.
    """
    may_be_written = False
    ends = wall_clock() + timeout_seconds

    async def check_wall_clock(event: str, info: Any) -> None:
        # While a machine is suspended time-outs stand still, and the lease of the attempt may end.
        if event in BEFORE_WRITING and wall_clock() > ends:
            raise StoodStill

    try:
        request = client.build_request(
            method, url, extensions={"trace": check_wall_clock}, **content
        )
        if (request.url.port or 0) > HIGHEST_PORT:
            raise httpx.InvalidURL("no such port")
        may_be_written = True
        async with asyncio.timeout(timeout_seconds):
            return await client.send(request, auth=auth)
    except Exception as error:
        raise _translate(error, peer, may_be_written, writes=writes) from None


def _translate(error: Exception, peer: str, may_be_written: bool, *, writes: bool) -> GatewayError:
    known = next((kind for kind in type(error).__mro__ if kind in FAILURES), None)
    if known is None:
        # httpx does not know all that TLS can raise while it reads; by then the request has been written.
        log.error("a request to %s failed with %s", peer, type(error).__name__)
        reason = BROKEN
    else:
        may_be_written, reason = FAILURES[known]
    reason = reason.format(peer)
    return Uncertain(reason) if may_be_written and writes else Unavailable(reason)
