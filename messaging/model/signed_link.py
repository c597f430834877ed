"""Signs and verifies the links that let a person act without a sign-in. Pure.

A token is `subject.end.signature`: the end in seconds since 1970, and an HMAC-SHA256 over purpose, subject and end. It
proves only that the gateway made the link. The page behind it must change nothing on GET, since scanners of mail follow
links.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from datetime import datetime
from hashlib import sha256
from typing import Final

MAX_TOKEN_CHARACTERS: Final = 200
_SUBJECT: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TOKEN: Final = re.compile(r"([A-Za-z0-9_-]{1,64})\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})")


def sign(purpose: str, subject: str, end: datetime, secret: str) -> str:
    """Return the token of a link. A token of one purpose is not valid for another.

    Raises ValueError for a subject with other characters than letters, digits, `-` and `_`.
    """
    if not _SUBJECT.fullmatch(subject):
        raise ValueError("the subject of a link has characters that no URL keeps")
    seconds = str(int(end.timestamp()))
    return f"{subject}.{seconds}.{_signature(purpose, subject, seconds, secret)}"


def verify(purpose: str, token: str, now: datetime, secret: str) -> str | None:
    """Return the subject of a valid token; None for one that was changed, is over, or has another purpose."""
    if len(token) > MAX_TOKEN_CHARACTERS or not (found := _TOKEN.fullmatch(token)):
        return None
    subject, seconds, signature = found.groups()
    expected = _signature(purpose, subject, seconds, secret)
    if not hmac.compare_digest(signature, expected) or now.timestamp() >= int(seconds):
        return None
    return subject


def _signature(purpose: str, subject: str, seconds: str, secret: str) -> str:
    # A key of its own: the secret signs sessions too.
    key = hmac.digest(secret.encode(), b"satbridge signed link", sha256)
    parts = "\0".join((purpose, subject, seconds))
    return urlsafe_b64encode(hmac.digest(key, parts.encode(), sha256)).decode().rstrip("=")
