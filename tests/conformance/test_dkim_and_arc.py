"""The mails and keys of dkimpy's own tests: RFC 6376, RFC 8463 and ARC, verified by our code through a DNS server."""

from pathlib import Path

import dkim
import pytest

from messaging.mail.authentication.arc import read_chain, verify_chain
from messaging.mail.authentication.dkim import BadSignature, read_signatures, verify
from messaging.mail.authentication.header import split_mail
from messaging.mail.authentication.resolver import Lookups, Resolver
from tests.support.mail.dns_server import DnsServer, Record, Zone

FILES = Path(__file__).parent / "mail_suites" / "dkimpy"
pytestmark = pytest.mark.anyio


def _read(name: str) -> bytes:
    return (FILES / name).read_bytes()


def _key(name: str) -> list[Record]:
    return [("TXT", _read(name).strip())]


FOOTBALL: Zone = {
    "brisbane._domainkey.football.example.com": [
        ("TXT", "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    ],
    "test._domainkey.football.example.com": [
        (
            "TXT",
            "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bd"
            "OKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLz"
            "BfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
        )
    ],
}
EXAMPLE: Zone = {
    "test._domainkey.example.com": _key("test.txt"),
    "test._domainkey.example.net": _key("ed25519test.dns"),
}


async def _verify_all(content: bytes, author_domain: str, zone: Zone) -> list[str]:
    """Return the result of each signature."""
    mail = split_mail(content)
    found = []
    with DnsServer(zone) as server:
        lookups = Lookups(Resolver(server.settings()), 5)
        for signature in read_signatures(mail, author_domain)[0]:
            answer = await lookups.find(signature.key_name, "TXT")
            try:
                verify(mail, signature, answer.texts)
                found.append("pass")
            except BadSignature as error:
                found.append(error.result)
    return found


@pytest.mark.parametrize(
    ("file", "results"),
    [
        ("rfc6376.signed.msg", ["pass", "pass"]),
        ("rfc6376.signed.rsa.msg", ["pass"]),
        ("rfc6376.signed.no_t.msg", ["fail"]),
    ],
)
async def test_the_mails_of_rfc_6376_and_rfc_8463(file: str, results: list[str]) -> None:
    assert await _verify_all(_read(file), "football.example.com", FOOTBALL) == results


@pytest.mark.parametrize("header_form", [b"simple", b"relaxed"])
@pytest.mark.parametrize("body_form", [b"simple", b"relaxed"])
async def test_all_canonical_forms(header_form: bytes, body_form: bytes) -> None:
    content = _read("test.message").replace(b"message.", b"message.  \t x \n\n y \n\n\n")
    forms = (header_form, body_form)
    line = dkim.sign(content, b"test", b"example.com", _read("test.private"), canonicalize=forms)
    assert await _verify_all(line + content, "example.com", EXAMPLE) == ["pass"]
    changed = (line + content).replace(b"x ", b"z ")
    assert await _verify_all(changed, "example.com", EXAMPLE) == ["fail"]
    changed = (line + content).replace(b"Testing", b"Tasting")
    assert await _verify_all(changed, "example.com", EXAMPLE) == ["fail"]


@pytest.mark.parametrize("record", ["test_bad.txt", "badk.txt", "badversion.txt"])
async def test_malformed_keys(record: str) -> None:
    content = _read("test.message")
    line = dkim.sign(content, b"test", b"example.com", _read("test.private"))
    zone = {"test._domainkey.example.com": _key(record)}
    assert await _verify_all(line + content, "example.com", zone) == ["permerror"]


async def _verify_arc(content: bytes, zone: Zone = EXAMPLE) -> str:
    mail = split_mail(content)
    chain = read_chain(mail)
    assert chain is not None
    with DnsServer(zone) as server:
        lookups = Lookups(Resolver(server.settings()), 5)
        keys = {name: (await lookups.find(name, "TXT")).texts for name in chain.key_names}
    try:
        verify_chain(mail, chain, keys)
    except BadSignature as error:
        return error.result
    return "pass"


def _seal(content: bytes, timestamp: str = "12345") -> bytes:
    lines = dkim.arc_sign(
        content,
        b"test",
        b"example.com",
        _read("test.private"),
        b"lists.example.org",
        timestamp=timestamp,
    )
    return b"".join(lines) + content


async def test_a_sealed_mail() -> None:
    assert await _verify_arc(_seal(_read("test.message"))) == "pass"


async def test_a_mail_that_was_sealed_twice() -> None:
    once = _seal(_read("test.message").replace(b"arc=none; ", b""))
    verified = b"Authentication-Results: lists.example.org; arc=pass\r\n" + once
    twice = _seal(verified, "12346")
    assert twice.count(b"ARC-Seal: i=2") == 1
    assert await _verify_arc(twice) == "pass"
    assert (
        await _verify_arc(twice.replace(b"ARC-Seal: i=1; cv=none", b"ARC-Seal: i=1; cv=pass"))
        == "fail"
    )
    assert await _verify_arc(twice.replace(b"jqd@d1", b"jqd@d2")) == "fail"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"This is a test", b"This is no test"),
        (b"Subject: Testing", b"Subject: Tasting"),
        (b"cv=none", b"cv=pass"),
        (b"cv=none", b"cv=fail"),
        (b"cv=none;", b"cv=none; h=from;"),  # RFC 8617 section 4.1.3
        (b"ARC-Seal: i=1", b"ARC-Seal: i=2"),
        (b"ARC-Seal: i=1", b"X-Seal: i=1"),
    ],
)
async def test_a_changed_mail(old: bytes, new: bytes) -> None:
    content = _seal(_read("test.message"))
    assert old in content
    assert await _verify_arc(content.replace(old, new)) == "fail"


async def test_a_seal_without_a_key_in_dns() -> None:
    assert await _verify_arc(_seal(_read("test.message")), {"example.com": []}) == "permerror"
