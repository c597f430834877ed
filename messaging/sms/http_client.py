"""Requests to the API of an SMS provider, and the failures that mean the same at every provider."""

import logging
import ssl
from typing import Annotated, Any, Final

import httpx
from pydantic import AfterValidator

from messaging.errors import GatewayError, Unavailable, Uncertain
from messaging.sending.http_exchange import exchange, new_client
from messaging.sending.retry_after import retry_after

log = logging.getLogger(__name__)

PEER: Final = "the SMS provider"
NO_SENSE: Final = f"{PEER}'s answer made no sense"
MAYBE_TAKEN: Final = f"{NO_SENSE}; it may have taken the text"


def _web_url(text: str) -> str:
    url = text.strip().partition("#")[0]
    if not url.startswith(("http://", "https://")):
        raise ValueError("must begin with https:// or http://")
    return url


WebUrl = Annotated[str, AfterValidator(_web_url)]
"""A setting that holds a URL; a fragment is left out."""


class HttpClient:
    """Sends requests of `timeout_seconds` each. Connects at the first one; can be pickled before.

    It opens as many connections as there are requests at once.
    """

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        # One client for each connection: for every request httpx looks at all idle connections of a client, with
        # several system calls each. With 16 connections that took more time than everything else together.
        self._clients: list[httpx.AsyncClient] = []
        self._idle: list[httpx.AsyncClient] = []
        self._tls: ssl.SSLContext | None = None

    async def request(
        self, method: str, url: str, *, writes: bool, auth: httpx.Auth | None, **content: Any
    ) -> httpx.Response:
        """Send one request and return the answer.

        `writes` says that the request makes the provider send a text. Raises Unavailable, or Uncertain when it
        `writes` and may have taken effect. After a 5xx that is open; 429 means that nothing was done.
        """
        client = self._idle.pop() if self._idle else self._new_client()
        try:
            answer = await exchange(
                client,
                method,
                url,
                peer=PEER,
                timeout_seconds=self._timeout_seconds,
                writes=writes,
                auth=auth,
                **content,
            )
        except GatewayError as error:
            log.warning("request failed: %s", error.reason)
            raise
        finally:
            if not client.is_closed:
                self._idle.append(client)
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise Unavailable(f"{PEER} asked for fewer requests", retry_after(answer.headers))
        if answer.status_code >= 500:
            reason = f"{PEER} had an error of its own (status {answer.status_code})"
            if writes:
                raise Uncertain(f"{reason}; it may have taken the text")
            raise Unavailable(reason, retry_after(answer.headers))
        return answer

    async def aclose(self) -> None:
        """Close the connections; a later request opens new ones."""
        clients, self._clients, self._idle = self._clients, [], []
        for client in clients:
            await client.aclose()

    def _new_client(self) -> httpx.AsyncClient:
        if self._tls is None:
            self._tls = httpx.create_ssl_context()
        client = new_client(self._timeout_seconds, max_connections=1, tls=self._tls)
        self._clients.append(client)
        return client
