"""Verifies DKIM signatures (RFC 6376, RFC 8301, RFC 8463): parsed by dkimpy, verified by `cryptography`. Pure."""

import binascii
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import dkim
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from dkim.canonicalization import CanonicalizationPolicy, InvalidCanonicalizationPolicyError
from dkim.util import InvalidTagValueList, parse_tag_value

from messaging.mail.authentication.header import Field, SplitMail, duplicate_of, read_addresses
from messaging.model.address_syntax import ascii_domain, relay_mailbox

MAX_READ: Final = 20
MAX_VERIFIED: Final = 5
MAX_SIGNATURE_BYTES: Final = 8192
MAX_SIGNED_FIELDS: Final = 200
MAX_ADDRESS_BYTES: Final = 16_384
MAX_KEY_BYTES: Final = 4096  # a record of 4096 bits has 740
MIN_RSA_BITS: Final = 1024  # RFC 8301 section 3.2
MAX_RSA_BITS: Final = 4096
SERVICES: Final = ("*", "email")

PublicKey = RSAPublicKey | Ed25519PublicKey
Tags = dict[bytes, bytes]
_SPACE: Final = re.compile(rb"[ \t\r\n]+")
_SELECTOR: Final = re.compile(rb"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


class BadSignature(Exception):
    """A signature does not verify. `result` is in the words of RFC 8601."""

    def __init__(self, result: str, reason: str) -> None:
        super().__init__(reason)
        self.result = result
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature field, its tags without white space, and the names of the signed fields in lower case.

    `flaw` says why even a valid signature is no proof here; empty if it would be one.
    """

    field: Field
    tags: Tags
    names: tuple[bytes, ...]
    flaw: str = ""

    @property
    def domain(self) -> str:
        """The domain that signed (`d=`), in ASCII."""
        return ascii_domain(self.tags[b"d"].decode("utf-8", "replace"))

    @property
    def key_name(self) -> str:
        """The name of the TXT record with the key."""
        return f"{self.tags[b's'].decode('ascii', 'replace')}._domainkey.{self.domain}"


def read_signatures(mail: SplitMail, author_domain: str) -> tuple[list[Signature], list[str]]:
    """Return the signatures to verify, those nearest to the author's domain first, and the flaws of malformed ones.

    A signature whose domain has no label in common with the author's can prove nothing, and is left out.
    """
    if not mail.values(b"dkim-signature"):
        return [], []
    found, problems = [], []
    for field in [one for one in mail.fields if one[0].lower() == b"dkim-signature"][:MAX_READ]:
        try:
            signature = read_signature(field, mail)
        except BadSignature as error:
            problems.append(error.reason)
            continue
        if _common_labels(signature.domain, author_domain):
            found.append(signature)
    found.sort(key=lambda one: -_common_labels(one.domain, author_domain))
    return found[:MAX_VERIFIED], problems


def read_signature(field: Field, mail: SplitMail) -> Signature:
    """Parse a DKIM-Signature field. Raises BadSignature."""
    tags = parse_tags(field[1])
    try:
        dkim.validate_signature_fields(tags)
    except (dkim.DKIMException, IndexError, KeyError, ValueError) as error:
        raise BadSignature("permerror", "the signature is malformed") from error
    # DNS servers fail for odd names, and a failure of DNS keeps a forged mail from being refused.
    if not _SELECTOR.fullmatch(tags[b"s"]):
        raise BadSignature("permerror", "the signature is malformed")
    return Signature(field, tags, names := field_names(tags), flaw_of(tags, names, mail))


def parse_tags(value: bytes) -> Tags:
    """Parse a tag list, and remove white space from it (RFC 6376 section 3.2). Raises BadSignature."""
    if len(value) > MAX_SIGNATURE_BYTES:
        raise BadSignature("permerror", "the signature is too long")
    try:
        # The library's patterns take quadratic time on runs of white space.
        return {
            name: _SPACE.sub(b"", content)
            for name, content in parse_tag_value(_SPACE.sub(b" ", value)).items()
        }
    except InvalidTagValueList as error:
        raise BadSignature("permerror", "the signature is malformed") from error


def field_names(tags: Tags) -> tuple[bytes, ...]:
    """Return the names of the signed fields in lower case. Raises BadSignature for too many, and without From."""
    names = tuple(name.lower() for name in tags.get(b"h", b"").split(b":"))
    if len(names) > MAX_SIGNED_FIELDS:
        raise BadSignature("permerror", "the signature names too many fields")
    if b"from" not in names:
        raise BadSignature("permerror", "the signature does not cover From")
    return names


def flaw_of(tags: Tags, names: tuple[bytes, ...], mail: SplitMail) -> str:
    """Return the reason for which a valid signature is no proof here; empty if it is one."""
    if b"l" in tags:
        return "it covers a part of the body only (l=)"
    if len(mail.values(b"from")) != 1:
        return "there is not exactly one From"
    if duplicate := duplicate_of(mail):
        return f"there are several {duplicate} fields"
    if mail.values(b"subject") and b"subject" not in names:
        return "it does not cover Subject"
    return mail.problem


def verify(mail: SplitMail, signature: Signature, key_record: tuple[bytes, ...]) -> None:
    """Verify a signature with the TXT records of its key. Raises BadSignature."""
    key = _choose_key(key_record, signature.tags)
    tags = signature.tags
    if tags[b"a"] == b"rsa-sha1":
        raise BadSignature("policy", "rsa-sha1 proves nothing (RFC 8301)")
    try:
        policy = CanonicalizationPolicy.from_c_value(tags.get(b"c", b"simple/simple"))
    except InvalidCanonicalizationPolicyError as error:
        raise BadSignature("permerror", "the signature is malformed") from error
    body = canonical_body(mail.body, policy.body_algorithm.name == b"relaxed")
    if b"l" in tags:
        body = body[: int(tags[b"l"])]
    if hashlib.sha256(body).digest() != _from_base64(tags[b"bh"]):
        raise BadSignature("fail", "the body was changed")
    signed = select(mail.fields, signature.names)
    verify_fields(policy, signed, signature.field, tags, key)


def verify_fields(
    policy: CanonicalizationPolicy,
    signed: list[Field],
    signature_field: Field,
    tags: Tags,
    key: PublicKey,
) -> None:
    """Verify the signature over header fields and its own field. Raises BadSignature."""
    digest = header_digest(policy, signed, signature_field)
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(_from_base64(tags[b"b"]), digest, PKCS1v15(), Prehashed(SHA256()))
        else:
            key.verify(_from_base64(tags[b"b"]), digest)
    except InvalidSignature:
        raise BadSignature("fail", "the signature does not match the header") from None


def header_digest(
    policy: CanonicalizationPolicy, signed: list[Field], signature_field: Field
) -> bytes:
    """Return the hash that a signature signs: of the fields, and of its own field with an empty `b=`."""
    own = (signature_field[0], without_signature(signature_field[1]))
    fields = policy.canonicalize_headers([*signed, own])
    data = b"".join(name + b":" + value for name, value in fields)
    return hashlib.sha256(data.removesuffix(b"\r\n")).digest()


def select(fields: tuple[Field, ...], names: tuple[bytes, ...]) -> list[Field]:
    """Return the signed fields: for each name the last one that was not taken yet (RFC 6376 section 5.4.2)."""
    by_name: dict[bytes, list[Field]] = {name: [] for name in names}
    for field in fields:
        if (name := field[0].lower()) in by_name:
            by_name[name].append(field)
    return [by_name[name].pop() for name in names if by_name[name]]


def without_signature(value: bytes) -> bytes:
    """Return a signature field with an empty `b=` tag (RFC 6376 section 3.7)."""
    parts = value.split(b";")
    for number, part in enumerate(parts):
        name, equals, _ = part.partition(b"=")
        if equals and name.strip() == b"b":
            parts[number] = name + equals
    return b";".join(parts).rstrip() + b"\r\n"


def canonical_body(body: bytes, is_relaxed: bool) -> bytes:
    """Canonicalize a body with CRLF line ends (RFC 6376 section 3.4), in linear time."""
    if is_relaxed:
        # After the first step at most one blank is before a line end; the library's pattern takes quadratic time.
        body = re.sub(rb"[ \t]+", b" ", body).replace(b" \r\n", b"\r\n").removesuffix(b" ")
    end = len(body.rstrip(b"\r\n"))
    if body[end:] != b"\r\n" * ((len(body) - end) // 2):
        end = len(body)  # there is a bare CR among the last line ends
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    body = body[:end]
    return body + b"\r\n" if body or not is_relaxed else b""


def identity_of(mail: SplitMail, signature: Signature) -> str:
    """Return the signed Message-ID, else the signed Date, with the hash of the body; empty if neither is signed."""
    for name in (b"message-id", b"date"):
        values = mail.values(name)
        if name in signature.names and values:
            # Of several fields the last one is signed.
            signed = b" ".join([*values[-1].split(), signature.tags[b"bh"]])
            return signed.decode("latin-1")
    return ""


def recipients_of(mail: SplitMail, names: tuple[bytes, ...]) -> frozenset[str]:
    """Return the mailboxes in To and Cc in lower case, as far as these are signed and there once."""
    found: set[str] = set()
    for name in (b"to", b"cc"):
        values = mail.values(name)
        if name not in names or len(values) != 1 or len(values[0]) > MAX_ADDRESS_BYTES:
            continue
        for address in read_addresses(values[0].decode("utf-8", "replace")):
            if mailbox := relay_mailbox(address):
                found.add(mailbox.lower())
    return frozenset(found)


def _choose_key(records: tuple[bytes, ...], tags: Tags) -> PublicKey:
    """Return the first of a few keys that fits the algorithm. Raises BadSignature with the flaw of the first."""
    if not records:
        raise BadSignature("permerror", "there is no key in DNS")
    identity = tags.get(b"i", b"@" + tags[b"d"])
    flaw: BadSignature | None = None
    for record in records[:3]:
        try:
            key, flags = read_key(record[:MAX_KEY_BYTES])
        except BadSignature as error:
            flaw = flaw or error
            continue
        kind = b"rsa" if isinstance(key, RSAPublicKey) else b"ed25519"
        if not tags[b"a"].startswith(kind):
            flaw = flaw or BadSignature("permerror", "the key is of another algorithm")
        elif "y" in flags:
            flaw = flaw or BadSignature("policy", "the key is for tests (t=y)")
        elif "s" in flags and identity.rpartition(b"@")[2].lower() != tags[b"d"].lower():
            flaw = flaw or BadSignature("permerror", "the key is not for subdomains (t=s)")
        else:
            return key
    raise flaw or BadSignature("permerror", "there is no key in DNS")


@lru_cache(1024)
def read_key(record: bytes) -> tuple[PublicKey, frozenset[str]]:
    """Read a key record (RFC 6376 section 3.6.1): the key and its flags. Raises BadSignature."""
    try:
        tags = {
            name.decode("ascii", "replace"): _SPACE.sub(b"", content).decode("ascii", "replace")
            for name, content in parse_tag_value(_SPACE.sub(b" ", record)).items()
        }
    except InvalidTagValueList as error:
        raise BadSignature("permerror", "the key record is malformed") from error
    if tags.get("v", "DKIM1") != "DKIM1" or "p" not in tags:
        raise BadSignature("permerror", "the key record is malformed")
    if not tags["p"]:
        raise BadSignature("permerror", "the key was revoked")
    if "sha256" not in tags.get("h", "sha256").split(":"):
        raise BadSignature("permerror", "the key is not for SHA-256")
    if not any(service in SERVICES for service in tags.get("s", "*").split(":")):
        raise BadSignature("permerror", "the key is not for mail")
    flags = frozenset(tags.get("t", "").split(":"))
    return _load_key(tags.get("k", "rsa"), _from_base64(tags["p"].encode())), flags


def _load_key(kind: str, data: bytes) -> PublicKey:
    try:
        key = Ed25519PublicKey.from_public_bytes(data) if kind == "ed25519" else None
        loaded = key or load_der_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadSignature("permerror", "the key cannot be read") from error
    if isinstance(loaded, Ed25519PublicKey):
        return loaded
    if kind != "rsa" or not isinstance(loaded, RSAPublicKey):
        raise BadSignature("permerror", "the key is of an unknown kind")
    if not MIN_RSA_BITS <= loaded.key_size <= MAX_RSA_BITS:
        raise BadSignature("policy", f"a key of {loaded.key_size} bits proves nothing")
    return loaded


def _from_base64(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text)
    except binascii.Error as error:
        raise BadSignature("permerror", "the signature or its key is malformed") from error


def _common_labels(one: str, other: str) -> int:
    count = 0
    for mine, theirs in zip(reversed(one.split(".")), reversed(other.split(".")), strict=False):
        if mine != theirs:
            break
        count += 1
    return count
