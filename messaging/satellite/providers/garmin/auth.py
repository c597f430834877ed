"""Authentication of Garmin's webhooks: a static token, or a token that Garmin fetched from us (OAuth). Pure.

Guide "IPC Outbound", authentication; RFC 6749 section 4.4 (client credentials), RFC 6750 (bearer tokens). Our tokens
are signed with the client's secret and contain their expiry. So every replica can check them, and none is stored.
"""

import hmac
import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

import jwt

from messaging.model.webhook import Acknowledgement, NotAuthentic, Webhook

TOKEN_PATH: Final = "/token"  # noqa: S105 (a path)
MAX_CLIENT_BYTES: Final = 4096
BASIC_USER: Final = "token"
ALGORITHM: Final = "HS256"
BEARER_CHALLENGE: Final = 'Bearer realm="satbridge"'
BASIC_CHALLENGE: Final = 'Basic realm="satbridge"'


def asks_for_token(webhook: Webhook) -> bool:
    """Whether an OAuth client asks for a token; every other request posts events."""
    return webhook.path.rstrip("/").endswith(TOKEN_PATH)


def check_client(webhook: Webhook, client_id: str, client_secret: str) -> None:
    """Return when the request for a token has the client's id and secret. Raises NotAuthentic.

    They may be in the header (RFC 6749 section 2.3.1) or in a body, form or JSON; Garmin does not document the place.
    """
    credentials = _basic(webhook.headers) or _client_in(webhook.body)
    if not _same(credentials, (client_id, client_secret)):
        raise NotAuthentic("the OAuth client is not ours", BASIC_CHALLENGE)


def new_token(client_id: str, client_secret: str, seconds: float, now: datetime) -> Acknowledgement:
    """Return the answer that contains a new token (RFC 6749 section 5.1)."""
    claims = {"sub": client_id, "exp": now + timedelta(seconds=seconds)}
    answer = {
        "access_token": jwt.encode(claims, client_secret, ALGORITHM),
        "token_type": "Bearer",
        "expires_in": round(seconds),
    }
    return Acknowledgement(json.dumps(answer).encode(), "application/json")


def has_static_token(headers: Mapping[str, str], header: str, token: str) -> bool:
    """Whether the token is in its header, or the password of the user `token` (others have reported both)."""
    value = headers.get(header.lower(), "")
    return _same((value,), (token,)) or _same(_basic(headers), (BASIC_USER, token))


def check_bearer(headers: Mapping[str, str], client_id: str, client_secret: str) -> None:
    """Return when the request has a token of ours that has not expired. Raises NotAuthentic."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NotAuthentic("it has no token of ours", BEARER_CHALLENGE)
    options: Any = {"require": ["exp", "sub"]}
    try:
        claims = jwt.decode(token.strip(), client_secret, [ALGORITHM], options=options)
    except jwt.InvalidTokenError as error:
        reason = f"its token does not count ({type(error).__name__})"
        raise NotAuthentic(reason, BEARER_CHALLENGE) from None
    if claims["sub"] != client_id:
        raise NotAuthentic("its token is another client's", BEARER_CHALLENGE)


def _same(theirs: tuple[str, ...], ours: tuple[str, ...]) -> bool:
    """Compare in constant time."""
    value = "\0".join(theirs).encode("utf-8", "replace")
    return hmac.compare_digest(value, "\0".join(ours).encode())


def _basic(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return user and password (RFC 7617), or an empty tuple."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ()
    try:
        user, _, password = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return ()
    return user, password


def _client_in(body: bytes) -> tuple[str, ...]:
    """Return the client id and secret of a body, or an empty tuple."""
    # The sender is unknown yet, so long bodies are not parsed.
    if len(body) > MAX_CLIENT_BYTES:
        return ()
    try:
        text = body.decode()
        if text.lstrip().startswith("{"):
            found = json.loads(text)
        else:
            found = {name: values[0] for name, values in parse_qs(text).items()}
        return str(found["client_id"]), str(found["client_secret"])
    except (ValueError, KeyError, RecursionError):
        return ()
