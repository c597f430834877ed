"""The time, the lookups and the failures of the checks have bounds, whatever a mail and its domains say."""

import asyncio
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.mail.authentication.authenticate import Authenticator
from messaging.mail.authentication.resolver import MAX_LOOKUPS, Lookups, Resolver
from messaging.mail.authentication.settings import AuthenticationSettings, DnsSettings
from messaging.mail.authentication.spf import check_spf
from messaging.model.authentication import Authentication, AuthorLevel
from tests.support.closed_port import closed_port
from tests.support.mail.authentication import authenticate, world
from tests.support.mail.dns_server import SILENT, DnsServer
from tests.support.mail.signed_mails import BODY, HEADER, MAIL, key_zone, sign


@pytest.mark.anyio
async def test_silent_servers_cost_the_time_of_the_settings() -> None:
    silent = {name: [SILENT] for name in world()}
    begun = time.monotonic()
    found = await authenticate(sign(), zone=silent, seconds=0.5)
    assert time.monotonic() - begun < 5
    assert (found.level, found.is_undecided) == (AuthorLevel.UNPROVED, True)


@pytest.mark.anyio
async def test_no_server_at_all() -> None:
    with closed_port("dns") as url:
        servers = url.removeprefix("dns://")
        resolver = Resolver(DnsSettings(servers=servers, seconds=0.5))
        authenticator = Authenticator(AuthenticationSettings(authentication_seconds=2), resolver)
        found = await authenticator.authenticate(sign(), "192.0.2.1", "x", "a@friend.example")
    assert (found.level, found.is_undecided) == (AuthorLevel.UNPROVED, True)


@pytest.mark.anyio
async def test_records_that_ask_for_many_lookups() -> None:
    exchanges = [("MX", f"10 m{number}.many.example.") for number in range(10)]
    zone = {f"m{n}.many.example": [("A", "192.0.2.77")] for n in range(10)} | {
        "many.example": [*exchanges, ("TXT", "v=spf1 mx include:a.example include:b.example -all")],
        "a.example": [*exchanges, ("TXT", "v=spf1 mx mx:many.example include:a.example -all")],
        "b.example": [("TXT", "v=spf1 include:a.example include:b.example -all")],
    }
    with DnsServer(zone) as server:
        lookups = Lookups(Resolver(server.settings()), 5)
        found = await check_spf(lookups, "198.51.100.1", "x", "a@many.example")
        assert found.result == "permerror"
        assert len(server.asked) <= MAX_LOOKUPS


@pytest.mark.anyio
async def test_a_huge_record_is_not_evaluated() -> None:
    huge = "v=spf1 " + "ip4:192.0.2.1 " * 3000 + "-all"
    with DnsServer({"huge.example": [("TXT", huge)]}) as server:
        lookups = Lookups(Resolver(server.settings()), 5)
        found = await check_spf(lookups, "198.51.100.1", "x", "a@huge.example")
    assert found.result == "permerror"


@pytest.mark.anyio
async def test_concurrent_mails_share_their_queries() -> None:
    with DnsServer(world()) as server:
        authenticator = Authenticator(AuthenticationSettings(), Resolver(server.settings()))
        mails = [
            authenticator.authenticate(sign(), "192.0.2.1", "x", "alice@friend.example")
            for _ in range(50)
        ]
        found = await asyncio.gather(*mails)
        assert {one.level for one in found} == {AuthorLevel.PROVED}
        assert len(server.asked) == len(set(server.asked))


@pytest.mark.anyio
@pytest.mark.parametrize(
    "content",
    [
        b"DKIM-Signature: v=1; a=rsa-sha256; d=friend.example; s=k1; h=from; bh=AAAA; b="
        + b" \r\n\t" * 2000
        + b"!\r\n"
        + MAIL,
        b"DKIM-Signature: " + b"a=b;" * 2000 + b"\r\n" + MAIL,
        b"DKIM-Signature: v=1; h=" + b":" * 8000 + b"\r\n" + MAIL,
        (b"DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=x; h=from; bh=AAAA; b=AAAA\r\n" * 900)
        + MAIL,
        b"ARC-Seal: i=1; " + b" " * 8000 + b"\r\n" + MAIL,
        b"".join(b"ARC-Seal: i=%d; cv=none\r\n" % number for number in range(900)) + MAIL,
        b"Authentication-Results: x; " + b"(" * 8000 + b"\r\n" + MAIL,
        b"From: " + b"<" * 4000 + b"\r\n\r\n",
        HEADER + b" " * 8_000_000,
        HEADER + b"\r\n" * 4_000_000,
        sign().removesuffix(BODY) + b" \t" * 4_000_000,
    ],
    ids=range(11),
)
async def test_hostile_mails_cost_little(content: bytes) -> None:
    begun = time.process_time()
    found = await authenticate(content, "10.0.0.1", trusted_relays="10.0.0.0/8", authserv_id="x")
    assert isinstance(found, Authentication)
    assert time.process_time() - begun < 10


_NAMES = st.sampled_from(
    [
        b"DKIM-Signature",
        b"ARC-Seal",
        b"ARC-Message-Signature",
        b"ARC-Authentication-Results",
        b"Authentication-Results",
        b"From",
        b"To",
        b"Subject",
    ]
)
_TAGS = (
    b"i=1; i=2; v=1; a=rsa-sha256; a=ed25519-sha256; d=friend.example; s=k1; h=from; h=from:subject; bh=AAAA; b=AAAA;"
    b" b=; l=0; l=99999999999; cv=none; c=x/y; c=relaxed; t=1; x=1; mx.sat.example; dmarc=pass"
    b' header.from=friend.example; spf=pass <alice@friend.example> ; = ( " \xff \0 d=\xc3\xa4.example;'
)
_LONG = (b"\r\n ", b"d=" + b"a." * 200 + b";", b"s=" + b"a" * 70 + b";")
_PIECES = st.sampled_from((*_TAGS.split(b" "), *_LONG))
_FIELDS = st.lists(st.tuples(_NAMES, st.lists(_PIECES, max_size=14)), max_size=8)


@given(
    _FIELDS,
    st.text(max_size=30),
    st.text(max_size=30),
    st.sampled_from(["192.0.2.1", "::1", "x", ""]),
)
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_no_header_makes_it_fail_or_proves_the_author(
    fields: list[tuple[bytes, list[bytes]]], helo: str, sender: str, client: str
) -> None:
    content = b"".join(name + b": " + b" ".join(each) + b"\r\n" for name, each in fields)
    zone = key_zone("friend.example")

    async def run() -> Authentication:
        return await authenticate(
            content + MAIL,
            client,
            sender,
            zone=zone,
            helo=helo,
            seconds=2,
            arc_sealers="friend.example",
        )

    found = asyncio.run(run())
    assert found.level in (AuthorLevel.UNPROVED, AuthorLevel.FORGED)
