"""Signed mails, their keys, and the zones that publish them."""

from base64 import b64encode
from functools import cache

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from tests.support.mail.dns_server import Record

HEADER = (
    b"From: Alice <alice@friend.example>\r\n"
    b"To: boop@sat.example\r\n"
    b"Subject: Hello\r\n"
    b"Date: Mon, 30 Nov 2026 12:00:00 +0000\r\n"
    b"Message-ID: <1@friend.example>\r\n"
    b"\r\n"
)
BODY = b"See you at the harbour.\r\n"
MAIL = HEADER + BODY
SELECTOR = "k1"


@cache
def pem(bits: int = 1024) -> bytes:
    """A private RSA key as dkimpy reads it. Small, because its arithmetic is in Python."""
    return generate_private_key(65537, bits).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def key_record(private_pem: bytes | None = None) -> Record:
    """Return the TXT record of a key."""
    key = serialization.load_pem_private_key(private_pem or pem(), None)
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return "TXT", f"v=DKIM1; k=rsa; p={b64encode(public).decode()}"


def key_zone(*domains: str) -> dict[str, list[Record]]:
    """Return a zone with the key of `sign` for these domains."""
    return {f"{SELECTOR}._domainkey.{domain}": [key_record()] for domain in domains}


def sign(
    mail: bytes = MAIL,
    domain: str = "friend.example",
    names: tuple[bytes, ...] = (b"from", b"to", b"subject", b"date", b"from"),
    *,
    has_length: bool = False,
    forms: tuple[bytes, bytes] = (b"relaxed", b"relaxed"),
) -> bytes:
    """Return a mail with a signature by dkimpy, another implementation than the one that is tested."""
    field = dkim.sign(
        mail,
        SELECTOR.encode(),
        domain.encode(),
        pem(),
        include_headers=list(names),
        length=has_length,
        canonicalize=forms,
    )
    return bytes(field) + mail


def seal(mail: bytes, domain: str, server: str) -> bytes:
    """Return a mail with an ARC set by dkimpy over the Authentication-Results of a server."""
    lines = dkim.arc_sign(mail, SELECTOR.encode(), domain.encode(), pem(), server.encode())
    return b"".join(lines) + mail
