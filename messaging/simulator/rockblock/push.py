"""The webhooks of a simulated RockBLOCK in their three formats, and their signed tokens.

Ground Control's page "Receiving MO messages via HTTP webhook". The token is written by hand, not with the gateway's
library, so that each implementation checks the other.
"""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from messaging.simulator.shared.modem_switches import ModemUplink
from messaging.simulator.shared.modems import Modem
from messaging.simulator.shared.pushes import Push

JSON_FORM: Final = "HTTP_JSON"
FORMS: Final = (JSON_FORM, "HTTP_POST", "HTTP_POST_INSECURE")
USER_AGENT: Final = "Rock7PushApi"


def new_key() -> rsa.RSAPrivateKey:
    """Return a key that signs tokens."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def load_key(path: Path) -> rsa.RSAPrivateKey:
    """Return the key in a PEM file, created if missing. Raises OSError, or ValueError for another kind of key."""
    if not path.exists():
        path.write_bytes(
            new_key().private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")
    return key


def public_key_text(key: rsa.RSAPrivateKey) -> str:
    """Return the public key in Ground Control's format: DER in base64."""
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(key.public_key().public_bytes(encoding, form)).decode()


def webhook_fields(modem: Modem, uplink: ModemUplink, momsn: int) -> dict[str, Any]:
    """Return the fields of a webhook, with their types in JSON."""
    now = f"{datetime.now(UTC):%y-%m-%d %H:%M:%S}"
    return {
        "momsn": momsn,
        "data": uplink.payload().hex(),
        "serial": modem.serial,
        "iridium_latitude": modem.latitude,
        "iridium_cep": modem.cep,
        "imei": modem.imei,
        "device_type": "ROCKBLOCK",
        "transmit_time": uplink.transmit_time or now,
        "iridium_longitude": modem.longitude,
    }


def sign(fields: Mapping[str, Any], key: rsa.RSAPrivateKey, issued_at: datetime) -> str:
    """Return a token (JWS compact, RFC 7515, RS256) of the fields, all as texts."""
    texts = {name: _text(value) for name, value in sorted(fields.items())}
    claims = {"iss": "Rock 7", "iat": int(issued_at.timestamp()), **texts}
    unsigned = f"{_part({'alg': 'RS256'})}.{_part(claims)}"
    signature = key.sign(unsigned.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{unsigned}.{_base64url(signature)}"


def push_of(url: str, form: str, fields: Mapping[str, Any]) -> Push:
    """Return the request in one of the formats of a delivery address."""
    if form == JSON_FORM:
        content, media_type = json.dumps(fields).encode(), "application/json; charset=utf-8"
    else:
        texts = {name: _text(value) for name, value in fields.items()}
        content, media_type = urlencode(texts).encode(), "application/x-www-form-urlencoded"
    return Push(
        url=url,
        content=content,
        media_type=media_type,
        headers={"User-Agent": USER_AGENT},
        checks_certificate=form != "HTTP_POST_INSECURE",
    )


def _text(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _part(content: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(content, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
