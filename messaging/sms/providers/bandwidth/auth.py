"""Logs in at Bandwidth's API: by OAuth 2, or by the user and password that it takes until December 2026.

Bandwidth's page "Credential Management"; RFC 6749 section 4.4 (client credentials), RFC 6750 (bearer tokens).
"""

import threading
import time
from functools import cached_property
from typing import Final, Protocol

import requests
from pydantic import SecretStr
from requests.auth import AuthBase, HTTPBasicAuth

from messaging.errors import GatewayError, Unavailable
from messaging.sms.http_errors import NO_SENSE, broken_off, overloaded

TOKEN_URL: Final = "https://api.bandwidth.com/api/v1/oauth2/token"  # noqa: S105 (where tokens are had)
PAUSE_SECONDS: Final = 5.0
SHORTEST_SECONDS: Final = 300.0
"""How long a token is taken to last when the answer does not say."""


class LoginRefused(Exception):
    """Bandwidth does not take our credentials."""


class Login(Protocol):
    """What proves who we are. Thread-safe."""

    def proof(self, session: requests.Session) -> AuthBase:
        """Return what goes with a request. Raises LoginRefused, or Unavailable."""

    def renew(self, refused: AuthBase) -> bool:
        """Whether a request that was refused with this proof is worth another try, with a new one."""


class PasswordLogin:
    """User and password go with every request."""

    def __init__(self, username: str, password: SecretStr) -> None:
        self._username = username
        self._password = password

    def proof(self, session: requests.Session) -> AuthBase:
        """Return the credentials."""
        return _basic(self._username, self._password)

    def renew(self, refused: AuthBase) -> bool:
        """There are no others."""
        return False


class TokenLogin:
    """An API credential: a token is fetched with it, and used until shortly before it ends. Can be pickled unused.

    Between two requests for a token pass `pause_seconds`, so that neither a failure nor a refusal becomes a flood.
    """

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: SecretStr,
        timeout_seconds: float,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._token_url = token_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._timeout_seconds = timeout_seconds
        self._pause_seconds = pause_seconds
        self._token = _Bearer("")
        self._ends_at = float("-inf")
        self._tried_at = float("-inf")
        self._failure: Exception | None = None

    def proof(self, session: requests.Session) -> AuthBase:
        """Return the token, after fetching one if there is none; all threads wait for one that fetches."""
        with self._lock:
            now = time.monotonic()
            if now >= self._ends_at:
                if self._failure is not None and now < self._tried_at + self._pause_seconds:
                    raise self._failure
                self._fetch(session, now)
            return self._token

    def renew(self, refused: AuthBase) -> bool:
        """Drop the token, unless that was done already; False when it is so new that another would fare no better."""
        with self._lock:
            if self._token is not refused:
                return True
            if time.monotonic() < self._tried_at + self._pause_seconds:
                return False
            self._ends_at = float("-inf")
            return True

    def _fetch(self, session: requests.Session, now: float) -> None:
        self._tried_at, self._failure = now, None
        try:
            token, seconds = self._asked(session)
        except (GatewayError, LoginRefused) as error:
            self._failure = error
            raise
        self._token = _Bearer(token)
        # A minute early, so that none ends on its way.
        self._ends_at = now + max(seconds - 60, seconds / 2)

    def _asked(self, session: requests.Session) -> tuple[str, float]:
        try:
            answer = session.post(
                self._token_url,
                data={"grant_type": "client_credentials"},
                auth=_basic(self._client_id, self._client_secret),
                timeout=self._timeout_seconds,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise broken_off(error, "Bandwidth", writes=False) from None
        failure = overloaded(answer.status_code, answer.headers, writes=False)
        if failure is not None:
            raise failure
        if not 200 <= answer.status_code < 300:
            raise LoginRefused
        return _token_in(answer)

    @cached_property
    def _lock(self) -> threading.Lock:
        return threading.Lock()


class _Bearer(AuthBase):
    """Puts a token into a request, whatever `requests` finds for its host elsewhere."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _basic(username: str, password: SecretStr) -> HTTPBasicAuth:
    # In bytes: `requests` writes strings in Latin-1, which has not every character that a password may have.
    return HTTPBasicAuth(username.encode(), password.get_secret_value().encode())


def _token_in(answer: requests.Response) -> tuple[str, float]:
    """Return the token and how many seconds it lasts. Raises Unavailable when the answer makes no sense."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        body = None
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not (token.isascii() and token.isprintable() and token):
        raise Unavailable(NO_SENSE)
    seconds = body.get("expires_in")
    known = type(seconds) in (int, float) and 0 < seconds < 1e9
    return token, float(seconds) if known else SHORTEST_SECONDS
