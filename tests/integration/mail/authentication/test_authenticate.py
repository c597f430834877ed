"""The levels of honest mails, through a real DNS server."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from messaging.mail.authentication.authenticate import Authenticator
from messaging.mail.authentication.resolver import Resolver
from messaging.mail.authentication.settings import AuthenticationSettings
from messaging.mail.authentication.signing import Signer, SigningKey
from messaging.model.authentication import Authentication, AuthorLevel
from tests.support.mail.authentication import FRIENDS_SERVER, RELAY, STRANGER, authenticate, world
from tests.support.mail.dns_server import FAILS, DnsServer
from tests.support.mail.signed_mails import HEADER, MAIL, key_zone, seal, sign

pytestmark = pytest.mark.anyio
RELAYED: dict[str, Any] = {"trusted_relays": "10.0.0.0/8", "authserv_id": "mx.sat.example"}


def _results(found: Authentication) -> dict[str, str]:
    return {one.mechanism: one.result for one in found.results}


async def test_a_signed_mail_is_proved() -> None:
    found = await authenticate(sign())
    assert found.level is AuthorLevel.PROVED
    assert found.author == "alice@friend.example"
    assert found.reason == "the author is proved: signed by friend.example (DKIM)"
    assert _results(found) == {"dkim": "pass", "spf": "fail", "dmarc": "pass"}
    assert found.signed_fields == {"from", "to", "subject", "date"}
    assert found.named == {"boop@sat.example"}
    assert not found.is_undecided


async def test_both_kinds_of_keys_prove() -> None:
    key = SigningKey("new", Ed25519PrivateKey.generate())
    content = Signer((key,), ("friend.example",)).sign(MAIL)
    zone = {"new._domainkey.friend.example": [("TXT", key.record)]}
    assert (await authenticate(content, zone=zone)).level is AuthorLevel.PROVED
    assert (await authenticate(content)).level is AuthorLevel.FORGED


@pytest.mark.parametrize(
    "author", ["alice@mail.friend.example", "alice@friend.example", "alice@a.b.friend.example"]
)
async def test_a_domain_of_the_same_organization_proves(author: str) -> None:
    mail = MAIL.replace(b"alice@friend.example", author.encode())
    assert (await authenticate(sign(mail))).level is AuthorLevel.PROVED
    assert (await authenticate(sign(mail, "mail.friend.example"))).level is AuthorLevel.PROVED


async def test_a_strict_policy_asks_for_the_same_domain() -> None:
    mail = MAIL.replace(b"alice@friend.example", b"alice@strict.example")
    assert (await authenticate(sign(mail, "news.strict.example"))).level is AuthorLevel.FORGED


async def test_a_domain_without_a_policy_proves_itself_only() -> None:
    mail = MAIL.replace(b"alice@friend.example", b"alice@quiet.example")
    assert (await authenticate(sign(mail, "quiet.example"))).level is AuthorLevel.PROVED
    mail = mail.replace(b"alice@quiet.example", b"alice@sub.quiet.example")
    assert (await authenticate(sign(mail, "quiet.example"))).level is AuthorLevel.UNPROVED


async def test_the_client_of_the_domain_makes_it_likely() -> None:
    found = await authenticate(MAIL, FRIENDS_SERVER)
    assert found.level is AuthorLevel.LIKELY
    assert found.is_sent_by_domain
    assert _results(found) == {"spf": "pass", "dmarc": "pass"}


async def test_a_mail_without_subject_can_be_proved() -> None:
    mail = MAIL.replace(b"Subject: Hello\r\n", b"")
    assert (await authenticate(sign(mail, names=(b"from", b"to")))).level is AuthorLevel.PROVED


async def test_the_policy_decides_about_a_mail_that_nothing_speaks_for() -> None:
    assert (await authenticate(MAIL)).level is AuthorLevel.FORGED
    assert (await authenticate(MAIL)).level is AuthorLevel.FORGED
    relaxed = MAIL.replace(b"friend.example", b"relaxed.example")
    assert (await authenticate(relaxed)).level is AuthorLevel.UNPROVED
    quiet = MAIL.replace(b"friend.example", b"quiet.example")
    assert (await authenticate(quiet)).level is AuthorLevel.UNPROVED


async def test_a_big_mail_is_proved_too() -> None:
    assert (await authenticate(sign(HEADER + b"line\r\n" * 200_000))).level is AuthorLevel.PROVED


@pytest.mark.parametrize(
    ("failing", "level"),
    [
        ("k1._domainkey.friend.example", AuthorLevel.UNPROVED),
        ("_dmarc.friend.example", AuthorLevel.PROVED),
        ("friend.example", AuthorLevel.PROVED),
    ],
)
async def test_a_failure_of_dns_counts_where_it_matters(failing: str, level: AuthorLevel) -> None:
    found = await authenticate(sign(), zone={failing: [FAILS]})
    assert found.level is level
    assert found.is_undecided == (level is AuthorLevel.UNPROVED)


@pytest.mark.parametrize("failing", ["_dmarc.friend.example", "friend.example"])
async def test_no_unsigned_mail_is_forged_while_dns_fails(failing: str) -> None:
    found = await authenticate(MAIL, zone={failing: [FAILS]})
    assert (found.level, found.is_undecided) == (AuthorLevel.UNPROVED, True)
    assert found.reason == "the author is unproved: DNS did not answer"


async def test_a_trusted_relay_vouches_for_the_author() -> None:
    said = b"Authentication-Results: mx.sat.example;\r\n dmarc=pass header.from=friend.example\r\n"
    found = await authenticate(said + MAIL, RELAY, **RELAYED)
    assert (found.level, found.from_relay) == (AuthorLevel.LIKELY, True)
    assert "spf" not in _results(found)
    assert found.level_for("boop@sat.example") is AuthorLevel.LIKELY
    assert found.level_for("other@sat.example") is AuthorLevel.UNPROVED
    # Its own address is never checked by SPF, and its own signature check goes before its word.
    assert (await authenticate(sign(), RELAY, **RELAYED)).level is AuthorLevel.PROVED


async def test_what_a_relay_hands_over_is_not_refused() -> None:
    assert (await authenticate(MAIL, RELAY, **RELAYED)).level is AuthorLevel.UNPROVED
    said = b"Authentication-Results: mx.sat.example; dmarc=fail header.from=friend.example\r\n"
    found = await authenticate(said + MAIL, RELAY, **RELAYED)
    assert (found.level, found.from_relay) == (AuthorLevel.FORGED, True)


async def test_the_spam_mark_of_a_trusted_relay_counts() -> None:
    marked = b"X-Spam-Flag: YES\r\n" + MAIL
    assert (await authenticate(marked, RELAY, **RELAYED)).spam_mark == "X-Spam-Flag"
    assert (await authenticate(marked, FRIENDS_SERVER, **RELAYED)).spam_mark == ""
    unmarked = b"X-Spam-Status: No, score=1\r\n" + MAIL
    assert (await authenticate(unmarked, RELAY, **RELAYED)).spam_mark == ""


async def test_a_named_sealer_vouches_for_the_author() -> None:
    said = (
        b"Authentication-Results: lists.example; dmarc=pass header.from=friend.example;"
        b" dkim=pass header.d=friend.example\r\n"
    )
    listed = seal(said + MAIL.replace(b"Hello", b"[list] Hello"), "lists.example", "lists.example")
    found = await authenticate(listed, arc_sealers="Lists.example")
    assert found.level is AuthorLevel.LIKELY
    assert found.reason == "the author is likely: lists.example vouches for it (ARC, dmarc)"
    changed = listed.replace(b"harbour", b"airport")
    assert (await authenticate(changed, arc_sealers="lists.example")).level is AuthorLevel.FORGED


async def test_answers_are_cached() -> None:
    with DnsServer(world()) as server:
        authenticator = Authenticator(AuthenticationSettings(), Resolver(server.settings()))
        for _ in range(3):
            found = await authenticator.authenticate(sign(), STRANGER, "x", "alice@friend.example")
            assert found.level is AuthorLevel.PROVED
        assert len(server.asked) == len(set(server.asked))


async def test_two_signatures_of_which_one_is_right() -> None:
    broken = sign().replace(b"bh=", b"bh=AAAA", 1)
    field = broken[: broken.index(b"From: ")]
    assert (await authenticate(field + sign())).level is AuthorLevel.PROVED
    many = b"".join(field for _ in range(30))
    assert (
        await authenticate(many + MAIL, zone=key_zone("friend.example"))
    ).level is AuthorLevel.FORGED
