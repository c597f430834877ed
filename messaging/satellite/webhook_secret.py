"""The secret in the path of webhooks that carry no other authentication: its form, and its check. Pure."""

import hmac
import re
from typing import Annotated

from pydantic import SecretStr

from messaging.model.webhook import Webhook
from messaging.satellite.account import readable_by

MIN_SECRET_CHARACTERS = 16
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]+")  # RFC 3986 section 2.3: no proxy encodes these


def check_path_secret(secret: SecretStr) -> None:
    """Raise ValueError when a secret is too short, or needs encoding in a path."""
    text = secret.get_secret_value()
    if len(text) < MIN_SECRET_CHARACTERS or not _UNRESERVED.fullmatch(text):
        raise ValueError(f"must be {MIN_SECRET_CHARACTERS} or more letters, digits, - or _")


PathSecret = Annotated[SecretStr, readable_by(check_path_secret)]
"""A setting: the last part of the path of webhooks that carry no other authentication."""


def has_secret(webhook: Webhook, secret: SecretStr) -> bool:
    """Compare the last part of the path with `secret`, in constant time."""
    last = webhook.path.rstrip("/").rpartition("/")[2]
    return hmac.compare_digest(last.encode("utf-8", "replace"), secret.get_secret_value().encode())
