"""Signatures of outgoing mail, verified by dkimpy and by our own check."""

import asyncio
from pathlib import Path

import dkim
import pytest

from messaging.errors import ConfigurationError
from messaging.mail.authentication.settings import DkimSettings
from messaging.mail.authentication.signing import (
    KeyKind,
    Signer,
    SigningKey,
    load_key,
    load_signer,
    make_key,
    zone_line,
)
from messaging.model.authentication import AuthorLevel
from messaging.model.message import Result
from messaging.simulator.mail.server import MailSink
from tests.support.mail.authentication import authenticate
from tests.support.mail.outgoing import DOMAIN, delivery, relay_at, results, send
from tests.support.mail.signed_mails import MAIL, pem

pytestmark = pytest.mark.anyio


def _key(folder: Path, kind: KeyKind, selector: str) -> SigningKey:
    path = folder / f"{selector}.pem"
    path.write_bytes(make_key(kind))
    return SigningKey(selector, load_key(path))


async def test_our_signature_proves_our_mail(tmp_path: Path) -> None:
    keys = (_key(tmp_path, "rsa", "r1"), _key(tmp_path, "ed25519", "e1"))
    signed = Signer(keys, ("friend.example",)).sign(MAIL)
    assert signed.count(b"DKIM-Signature: ") == 2
    for number, key in enumerate(keys):
        one = Signer((key,), ("friend.example",)).sign(MAIL)
        zone = {key.name("friend.example"): [("TXT", key.record)]}
        assert (await authenticate(one, zone=zone)).level is AuthorLevel.PROVED, number
    zone = {key.name("friend.example"): [("TXT", key.record)] for key in keys}
    assert (await authenticate(signed, zone=zone)).level is AuthorLevel.PROVED


def test_dkimpy_verifies_our_signature(tmp_path: Path) -> None:
    key = _key(tmp_path, "rsa", "r1")
    signed = Signer((key,), ("friend.example",)).sign(MAIL)

    def find(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"r1._domainkey.friend.example."
        return key.record.encode()

    assert dkim.verify(signed, dnsfunc=find)
    assert max(map(len, signed.split(b"\r\n"))) < 100


@pytest.mark.parametrize("name", ["From", "Subject", "To", "Reply-To", "Cc", "Content-Type"])
def test_no_field_can_be_added(tmp_path: Path, name: str) -> None:
    key = _key(tmp_path, "rsa", "r1")
    signed = Signer((key,), ("friend.example",)).sign(MAIL)

    def find(name: bytes, timeout: int = 5) -> bytes:
        return key.record.encode()

    added = f"{name}: x@evil.example\r\n".encode()
    assert not dkim.verify(signed.replace(b"From: Alice", added + b"From: Alice"), dnsfunc=find)


def test_the_nearest_domain_signs(tmp_path: Path) -> None:
    signer = Signer((), ("example", "sat.example", "other.example"))
    assert signer.domain_for("sat.example") == "sat.example"
    assert signer.domain_for("a.sat.example") == "sat.example"
    assert signer.domain_for("friend.example") == "example"
    assert signer.domain_for("sat.example.com") == ""
    assert Signer((_key(tmp_path, "rsa", "r1"),), ("sat.example",)).sign(MAIL) == MAIL


def test_keys_of_the_settings(tmp_path: Path) -> None:
    paths = [tmp_path / "a.pem", tmp_path / "b.pem"]
    for path, kind in zip(paths, ("rsa", "ed25519"), strict=True):
        path.write_bytes(make_key("rsa" if kind == "rsa" else "ed25519"))
    assert load_signer(DkimSettings(), "sat.example") is None
    settings = DkimSettings(keys=",".join(map(str, paths)), selectors="a,b")
    signer = load_signer(settings, "Sat.example")
    assert signer is not None
    assert signer.domains == ("sat.example",)
    assert [(key.selector, key.kind) for key in signer.keys] == [("a", "rsa"), ("b", "ed25519")]
    assert "PRIVATE" not in repr(signer.keys)
    with pytest.raises(ValueError, match="one selector for each key"):
        DkimSettings(keys=",".join(map(str, paths)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "is no private key"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_no_key(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "key.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=reason):
        load_key(path)


def test_a_record_as_a_line_of_a_zone(tmp_path: Path) -> None:
    key = _key(tmp_path, "rsa", "r1")
    line = zone_line(key.name("sat.example"), key.record)
    assert line.startswith('r1._domainkey.sat.example. IN TXT ( "v=DKIM1; k=rsa; p=')
    pieces = line.split('"')[1::2]
    assert "".join(pieces) == key.record
    assert max(map(len, pieces)) <= 255


async def test_a_mail_that_leaves_is_signed(tmp_path: Path) -> None:
    key = _key(tmp_path, "rsa", "r1")
    settings = DkimSettings(keys=str(tmp_path / "r1.pem"), selectors="r1")
    with MailSink() as sink:
        outcomes = await asyncio.to_thread(send, relay_at(sink.url), delivery(), dkim=settings)
        assert results(outcomes) == [Result.SENT]
        [received] = sink.received
    zone = {key.name(DOMAIN): [("TXT", key.record)]}
    found = await authenticate(received.content, sender=f"boop@{DOMAIN}", zone=zone)
    assert (found.level, found.author) == (AuthorLevel.PROVED, f"boop@{DOMAIN}")


def test_a_key_of_dkimpy_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.pem"
    path.write_bytes(pem())
    assert SigningKey("old", load_key(path)).kind == "rsa"
