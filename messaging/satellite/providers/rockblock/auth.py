"""Authentication of RockBLOCK's webhooks by a signed token. The values are read from the token alone. Pure.

Ground Control's page "Receiving MO messages via HTTP webhook", section "JSON Web Token".
"""

import base64
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from messaging.model.webhook import NotAuthentic

ISSUER: Final = "Rock 7"
ALGORITHM: Final = "RS256"
CLOCK_ERROR: Final = timedelta(hours=1)
PUBLISHED_KEY: Final = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAlaWAVJfNWC4XfnRx96p9"
    "cztBcdQV6l8aKmzAlZdpEcQR6MSPzlgvihaUHNJgKm8t5ShR3jcDXIOI7er30cIN"
    "4/9aVFMe0LWZClUGgCSLc3rrMD4FzgOJ4ibD8scVyER/sirRzf5/dswJedEiMte1"
    "ElMQy2M6IWBACry9u12kIqG0HrhaQOzc6Tr8pHUWTKft3xwGpxCkV+K1N+9HCKFc"
    "cbwb8okRP6FFAMm5sBbw4yAu39IVvcSL43Tucaa79FzOmfGs5mMvQfvO1ua7cOLK"
    "fAwkhxEjirC0/RYX7Wio5yL6jmykAHJqFG2HT0uyjjrQWMtoGgwv9cIcI7xbsDX6"
    "owIDAQAB"
)
"""Ground Control's own key (DER in base64), as published on that page."""

_OPTIONS: Final[Any] = {
    "require": ["iss", "iat"],
    "verify_iat": False,  # claims_of limits the age too
    "verify_exp": False,
    "verify_nbf": False,
    "verify_aud": False,
    "verify_sub": False,
    "verify_jti": False,
}


def read_key(text: str) -> RSAPublicKey:
    """Return the key in `text`, PEM or DER in base64. Raises ValueError when there is none in it."""
    encoded = re.sub(r"-----[A-Z ]+-----|\s", "", text)
    try:
        key = load_der_public_key(base64.b64decode(encoded, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("must be an RSA public key") from None
    if not isinstance(key, RSAPublicKey):
        raise ValueError("must be an RSA public key")
    return key


def claims_of(
    token: str, key: RSAPublicKey, now: datetime, max_age: timedelta
) -> Mapping[str, Any]:
    """Return the claims of `token`. Raises NotAuthentic unless `key` signed it within `max_age`.

    The algorithm is fixed; the one that the token names is ignored. Ground Control sets no expiry, so `max_age` limits
    the replay of a stolen token. Within `max_age` the message's id shows that it is a repetition.
    """
    try:
        claims = jwt.decode(token, key, algorithms=[ALGORITHM], issuer=ISSUER, options=_OPTIONS)
        age = now.timestamp() - float(claims["iat"])
    except (jwt.PyJWTError, TypeError, ValueError, RecursionError) as error:
        # The type only: the text may quote the token.
        raise NotAuthentic(f"the token does not prove it ({type(error).__name__})") from None
    if not -CLOCK_ERROR.total_seconds() <= age <= max_age.total_seconds():
        raise NotAuthentic("the token is too old, or from the future")
    return claims
