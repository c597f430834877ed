"""Signs outgoing mail (DKIM, RFC 6376 and RFC 8463), makes keys, and writes their DNS records."""

import hashlib
import time
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from dkim.canonicalization import CanonicalizationPolicy

from messaging.config.env import entries_of
from messaging.errors import ConfigurationError
from messaging.mail.authentication.dkim import canonical_body, header_digest, select
from messaging.mail.authentication.header import SplitMail, author_of, split_mail
from messaging.mail.authentication.settings import DkimSettings
from messaging.model.address_syntax import ascii_domain

KeyKind = Literal["rsa", "ed25519"]
RSA_BITS: Final = 2048
MIN_RSA_BITS: Final = 1024
MAX_STRING_CHARS: Final = 250  # of a TXT record: one string has at most 255

ONCE_MORE: Final = (
    b"from",
    b"subject",
    b"to",
    b"cc",
    b"reply-to",
    b"date",
    b"message-id",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
)
"""The fields that are signed once more than they are there, so that none can be added."""

IF_THERE: Final = (
    b"sender",
    b"in-reply-to",
    b"references",
    b"auto-submitted",
    b"list-id",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
)

PrivateKey = RSAPrivateKey | Ed25519PrivateKey


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """A private key and its selector."""

    selector: str
    key: PrivateKey

    @property
    def kind(self) -> KeyKind:
        """The algorithm in the words of a key record."""
        return "rsa" if isinstance(self.key, RSAPrivateKey) else "ed25519"

    @property
    def record(self) -> str:
        """The text of the TXT record of the key."""
        public = self.key.public_key()
        if isinstance(self.key, RSAPrivateKey):
            data = public.public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        else:
            data = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return f"v=DKIM1; k={self.kind}; p={b64encode(data).decode()}"

    def name(self, domain: str) -> str:
        """Return the name of the TXT record of the key."""
        return f"{self.selector}._domainkey.{domain}"

    def sign_digest(self, digest: bytes) -> bytes:
        """Sign a SHA-256 hash."""
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(digest, PKCS1v15(), Prehashed(SHA256()))
        return self.key.sign(digest)


class Signer:
    """Signs the mails of some domains with each of its keys."""

    def __init__(self, keys: tuple[SigningKey, ...], domains: tuple[str, ...]) -> None:
        self.keys = keys
        self.domains = domains

    def sign(self, content: bytes) -> bytes:
        """Return a mail with a signature by each key; unchanged when its author's domain is not one of ours."""
        mail = split_mail(content)
        author, _ = author_of(mail)
        domain = self.domain_for(author.rpartition("@")[2])
        if not domain:
            return content
        signatures = [_sign(mail, key, domain) for key in self.keys]
        return b"".join(signatures) + content

    def domain_for(self, domain: str) -> str:
        """Return the domain that signs for an author's domain: the same, else the nearest above it; empty if none."""
        labels = domain.split(".")
        names = (".".join(labels[at:]) for at in range(len(labels)))
        return next((name for name in names if name and name in self.domains), "")


def load_signer(settings: DkimSettings, mail_domain: str) -> Signer | None:
    """Read the keys of the settings; None without any. Raises ConfigurationError."""
    if not settings.files:
        return None
    keys = tuple(SigningKey(selector, load_key(path)) for selector, path in settings.files)
    domains = entries_of(settings.domains or "") or [ascii_domain(mail_domain)]
    return Signer(keys, tuple(domains))


def load_key(path: Path) -> PrivateKey:
    """Read a private key in PEM form. Raises ConfigurationError."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise ConfigurationError(f"SATBRIDGE_DKIM_KEYS: {path}: {reason}") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigurationError(f"SATBRIDGE_DKIM_KEYS: {path} is no private key (PEM)") from None
    if isinstance(key, RSAPrivateKey) and key.key_size < MIN_RSA_BITS:
        raise ConfigurationError(f"SATBRIDGE_DKIM_KEYS: {path}: the key has too few bits")
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise ConfigurationError(f"SATBRIDGE_DKIM_KEYS: {path} is no RSA and no Ed25519 key")
    return key


def make_key(kind: KeyKind) -> bytes:
    """Make a private key, in PEM form."""
    key: PrivateKey = (
        Ed25519PrivateKey.generate() if kind == "ed25519" else generate_private_key(65537, RSA_BITS)
    )
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def zone_line(name: str, record: str) -> str:
    """Return a TXT record as a line of a zone file, in strings of at most 255 characters."""
    pieces = [record[at : at + MAX_STRING_CHARS] for at in range(0, len(record), MAX_STRING_CHARS)]
    return f"{name}. IN TXT ( " + " ".join(f'"{piece}"' for piece in pieces) + " )"


def _sign(mail: SplitMail, key: SigningKey, domain: str) -> bytes:
    """Return the signature field of a mail, relaxed in header and body."""
    counts = {name: len(mail.values(name)) for name in (*ONCE_MORE, *IF_THERE)}
    names = [name for name in counts for _ in range(counts[name] + (name in ONCE_MORE))]
    body_hash = hashlib.sha256(canonical_body(mail.body, True)).digest()
    tags = (
        f"v=1; a={key.kind}-sha256; c=relaxed/relaxed; d={domain}; s={key.selector};"
        f" t={int(time.time())};\r\n h=" + _fold([name.decode() for name in names]) + ";\r\n"
        f" bh={b64encode(body_hash).decode()};\r\n b="
    )
    policy: Any = CanonicalizationPolicy.from_c_value(b"relaxed/relaxed")
    field = (b"DKIM-Signature", b" " + tags.encode() + b"\r\n")
    digest = header_digest(policy, select(mail.fields, tuple(names)), field)
    signature = b64encode(key.sign_digest(digest)).decode()
    lines = [signature[at : at + 72] for at in range(0, len(signature), 72)]
    return f"DKIM-Signature: {tags}".encode() + "\r\n ".join(lines).encode() + b"\r\n"


def _fold(names: list[str]) -> str:
    """Join names by colons, on lines of at most some 70 characters."""
    lines, line = [], ""
    for name in names:
        if len(line) + len(name) > 70:
            lines.append(line)
            line = ""
        line += name + ":"
    return "\r\n ".join([*lines, line]).removesuffix(":")
