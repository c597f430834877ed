"""Signs in at Bandwidth's API, and checks the credentials of its callbacks.

The API takes OAuth 2, and the user and password of an older API user until December 2026. Bandwidth's pages
"Credential Management" and "Webhooks: authentication"; RFC 6749 section 4.4 (client credentials), RFC 6750 (bearer
tokens), RFC 7617 (Basic credentials).
"""

import asyncio
import base64
import binascii
import hmac
import time
from collections.abc import Generator
from typing import Final, Protocol

import httpx
from pydantic import SecretStr

from messaging.errors import GatewayError, Unavailable
from messaging.model.webhook import NotAuthentic, Webhook
from messaging.sms.http_client import NO_SENSE, HttpClient
from messaging.sms.providers.bandwidth.wire import json_of

TOKEN_URL: Final = "https://api.bandwidth.com/api/v1/oauth2/token"  # noqa: S105 (where tokens are had)
PAUSE_SECONDS: Final = 5.0
DEFAULT_TOKEN_SECONDS: Final = 300.0
"""How long a token is taken to last when the answer does not say."""
CHALLENGE: Final = 'Basic realm="satbridge", charset="UTF-8"'


class LoginRefused(Exception):
    """Bandwidth does not take our credentials."""


class Login(Protocol):
    """Proves to the API who we are."""

    async def prove(self, http: HttpClient) -> httpx.Auth:
        """Return the proof that goes with a request. Raises LoginRefused, or Unavailable."""

    def renew(self, refused: httpx.Auth) -> bool:
        """Return whether a request that was refused with this proof is worth another try, with a new one."""


class PasswordLogin:
    """User and password go with every request."""

    def __init__(self, username: str, password: SecretStr) -> None:
        self._username = username
        self._password = password

    async def prove(self, http: HttpClient) -> httpx.Auth:
        """Return the credentials."""
        return httpx.BasicAuth(self._username, self._password.get_secret_value())

    def renew(self, refused: httpx.Auth) -> bool:
        """Return False: there are no other credentials."""
        return False


class TokenLogin:
    """An API credential fetches a token, which is used until shortly before it ends. Can be pickled unused.

    Between two requests for a token `pause_seconds` pass, so that neither a failure nor a refusal becomes a flood.
    """

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: SecretStr,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._token_url = token_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._pause_seconds = pause_seconds
        self._token = _Bearer("")
        self._ends_at = float("-inf")
        self._tried_at = float("-inf")
        self._failure: Exception | None = None
        self._fetching = asyncio.Lock()

    async def prove(self, http: HttpClient) -> httpx.Auth:
        """Return the token, after fetching one if there is none; all callers wait for the one that fetches."""
        async with self._fetching:
            now = time.monotonic()
            if now < self._ends_at:
                return self._token
            if self._failure is not None and now < self._tried_at + self._pause_seconds:
                raise self._failure
            self._tried_at, self._failure = now, None
            try:
                token, seconds = await self._fetch(http)
            except (GatewayError, LoginRefused) as error:
                self._failure = error
                raise
            self._token = _Bearer(token)
            # A minute early, so that none ends on its way.
            self._ends_at = now + max(seconds - 60, seconds / 2)
            return self._token

    def renew(self, refused: httpx.Auth) -> bool:
        """Drop the token, unless that was done already; False when it is so new that another would fare no better."""
        if self._token is not refused:
            return True
        if time.monotonic() < self._tried_at + self._pause_seconds:
            return False
        self._ends_at = float("-inf")
        return True

    async def _fetch(self, http: HttpClient) -> tuple[str, float]:
        """Return a new token and how many seconds it lasts. Raises LoginRefused, or Unavailable."""
        answer = await http.request(
            "POST",
            self._token_url,
            writes=False,
            auth=httpx.BasicAuth(self._client_id, self._client_secret.get_secret_value()),
            data={"grant_type": "client_credentials"},
        )
        if not answer.is_success:
            raise LoginRefused
        body = json_of(answer)
        token = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(token, str) or not (token.isascii() and token.isprintable() and token):
            raise Unavailable(NO_SENSE)
        seconds = body.get("expires_in")
        is_known = type(seconds) in (int, float) and 0 < seconds < 1e9
        return token, float(seconds) if is_known else DEFAULT_TOKEN_SECONDS


class _Bearer(httpx.Auth):
    """Puts a token into a request."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def check_credentials(webhook: Webhook, username: str, password: SecretStr) -> None:
    """Return when the request has these credentials, compared in constant time. Raises NotAuthentic."""
    scheme, _, given = webhook.headers.get("authorization", "").strip().partition(" ")
    if not given or scheme.lower() != "basic":
        # The usual first request: credentials come when they are asked for (RFC 7235, section 2.1).
        raise NotAuthentic("no credentials came with it", CHALLENGE)
    try:
        credentials = base64.b64decode(given.strip().encode("latin-1"), validate=True)
    except (binascii.Error, ValueError):
        raise NotAuthentic("the credentials cannot be read", CHALLENGE) from None
    if not hmac.compare_digest(credentials, f"{username}:{password.get_secret_value()}".encode()):
        raise NotAuthentic("the credentials are wrong", CHALLENGE)
