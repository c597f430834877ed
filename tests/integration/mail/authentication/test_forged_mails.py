"""Ten kinds of forged mails: none of them passes for the author that it shows."""

from typing import Any

import pytest

from messaging.mail.authentication.results import remove_results
from messaging.model.authentication import Authentication, AuthorLevel
from tests.support.mail.authentication import (
    FRIEND,
    FRIENDS_SERVER,
    SHARED_SENDER,
    STRANGER,
    authenticate,
)
from tests.support.mail.dns_server import FAILS, Record
from tests.support.mail.signed_mails import HEADER, MAIL, key_zone, seal, sign

pytestmark = pytest.mark.anyio
GOOD = (AuthorLevel.PROVED, AuthorLevel.LIKELY)
RELAYED: dict[str, Any] = {"trusted_relays": "10.0.0.0/8", "authserv_id": "mx.sat.example"}


def _passes_for_friend(found: Authentication) -> bool:
    return found.author == FRIEND and found.level_for("boop@sat.example") in GOOD


async def test_1_a_domain_that_looks_alike() -> None:
    """A proper mail of another domain proves that other address, and nothing about the friend."""
    mail = MAIL.replace(b"Alice <alice@friend.example>", b"Alice <alice@friend-example.example>")
    found = await authenticate(sign(mail, "friend-example.example"))
    assert found.level is AuthorLevel.PROVED
    assert found.author == "alice@friend-example.example"
    homograph = MAIL.replace(
        b"friend.example>",
        "fri\u0435nd.example>".encode(),  # a Cyrillic letter
    )
    found = await authenticate(homograph, sender="x@evil.example")
    assert (found.level, found.author) == (AuthorLevel.UNPROVED, "alice@xn--frind-1we.example")


@pytest.mark.parametrize(
    "addition",
    [
        b"From: Mallory <mallory@evil.example>\r\n",
        b"from: Mallory <mallory@evil.example>\r\n",
        b"From : Mallory <mallory@evil.example>\r\n",
        b"X: a\rFrom: Mallory <mallory@evil.example>\r\n",
    ],
)
@pytest.mark.parametrize("domain", ["friend.example", "evil.example"])
async def test_2_two_authors(addition: bytes, domain: str) -> None:
    for mail in (addition + sign(domain=domain), sign(addition + MAIL, domain)):
        found = await authenticate(mail, sender="mallory@evil.example")
        assert found.level is AuthorLevel.UNPROVED
        assert found.reason.startswith("the author is unproved: it")
    both = MAIL.replace(b"<alice@friend.example>", b"<alice@friend.example>, m@evil.example")
    found = await authenticate(sign(both, domain), sender="mallory@evil.example")
    assert found.reason == "the author is unproved: its From has 2 addresses"


async def test_3_a_text_that_is_appended_to_a_part_that_is_signed() -> None:
    signed = sign(has_length=True)
    found = await authenticate(signed + b"Send money to mallory.\r\n")
    assert found.level is AuthorLevel.UNPROVED
    assert any(one.reason == "it covers a part of the body only (l=)" for one in found.results)
    # Without a valid signature it is forged.
    changed = signed.replace(b"harbour", b"airport")
    assert (await authenticate(changed)).level is AuthorLevel.FORGED


@pytest.mark.parametrize(
    "addition",
    [
        b"Subject: Send money\r\n",
        b"SUBJECT: Send money\r\n",
        b"Subject :Send money\r\n",
        b"X: a\rSubject: Send money\r\n",
        b"Reply-To: mallory@evil.example\r\nReply-To: alice@friend.example\r\n",
        b"Content-Type: text/html\r\nContent-Type: text/plain\r\n",
    ],
)
async def test_4_a_second_subject(addition: bytes) -> None:
    found = await authenticate(addition + sign())
    assert found.level is AuthorLevel.UNPROVED


async def test_4_a_subject_that_is_not_signed() -> None:
    found = await authenticate(sign(names=(b"from", b"to", b"date")))
    assert found.level is AuthorLevel.UNPROVED
    assert any(one.reason == "it does not cover Subject" for one in found.results)
    added = sign(MAIL.replace(b"Subject: Hello\r\n", b""), names=(b"from", b"to"))
    assert (await authenticate(b"Subject: Send money\r\n" + added)).level is AuthorLevel.UNPROVED


async def test_4_an_answer_goes_to_a_signed_field_only() -> None:
    found = await authenticate(b"Reply-To: mallory@evil.example\r\n" + sign())
    assert found.level is AuthorLevel.PROVED
    assert "reply-to" not in found.signed_fields


async def test_5_a_signed_mail_that_is_sent_to_another_recipient() -> None:
    to_other = MAIL.replace(b"boop@sat.example", b"mallory@evil.example")
    found = await authenticate(sign(to_other), sender="mallory@evil.example")
    assert found.level is AuthorLevel.PROVED
    assert found.level_for("boop@sat.example") is AuthorLevel.UNPROVED
    # A blind copy comes from the author's own server; a mailbox of the subscriber may be named too.
    direct = await authenticate(sign(to_other), FRIENDS_SERVER)
    assert direct.level_for("boop@sat.example") is AuthorLevel.PROVED
    assert found.level_for("boop@sat.example", "mallory@evil.example") is AuthorLevel.PROVED
    # A To that is not signed names no recipient.
    unsigned = await authenticate(
        b"To: boop@sat.example\r\n"
        + sign(MAIL.replace(b"To:", b"X-To:"), names=(b"from", b"subject"))
    )
    assert unsigned.level_for("boop@sat.example") is AuthorLevel.UNPROVED


async def test_6_spf_of_a_shared_sender() -> None:
    """The sender's domain names the client, but it is not the author's domain."""
    found = await authenticate(MAIL, SHARED_SENDER, "bounces@evil.example")
    assert found.level is AuthorLevel.FORGED
    assert [str(one) for one in found.results if one.mechanism == "spf"] == [
        "spf=pass (evil.example): the domain names the client"
    ]
    found = await authenticate(sign(domain="evil.example"), SHARED_SENDER, "bounces@sender.example")
    assert found.level is AuthorLevel.FORGED


async def test_7_arc_of_an_unknown_sealer() -> None:
    said = (
        b"Authentication-Results: unknown-lists.example; dmarc=pass header.from=friend.example\r\n"
    )
    sealed = seal(said + MAIL, "unknown-lists.example", "unknown-lists.example")
    found = await authenticate(sealed, arc_sealers="lists.example")
    assert found.level is AuthorLevel.FORGED
    assert any("SATBRIDGE_MAIL_ARC_SEALERS" in one.reason for one in found.results)
    # A sealer that is known does not vouch for what an unknown one found before it.
    again = b"Authentication-Results: lists.example; arc=pass\r\n" + sealed
    sealed_again = seal(again, "lists.example", "lists.example")
    assert sealed_again.count(b"ARC-Seal: i=2") == 1
    found = await authenticate(sealed_again, arc_sealers="lists.example")
    assert found.level is AuthorLevel.FORGED
    found = await authenticate(sealed_again, arc_sealers="lists.example,unknown-lists.example")
    assert found.level is AuthorLevel.LIKELY


@pytest.mark.parametrize("client", [STRANGER, "10.1.2.3"])
async def test_8_results_that_the_author_wrote(client: str) -> None:
    """Nobody but a trusted relay is believed, and of its mails the topmost field."""
    said = b"Authentication-Results: mx.sat.example; dmarc=pass header.from=friend.example\r\n"
    other = said.replace(b"mx.sat", b"mx.other")
    own = b"Authentication-Results: mx.sat.example; dmarc=fail header.from=friend.example\r\n"
    forged = [other + MAIL, own + said + MAIL]
    forged += [said + MAIL] if client == STRANGER else []
    for mail in forged:
        assert not _passes_for_friend(await authenticate(mail, client, **RELAYED))
    assert remove_results(other + said + MAIL, ["mx.sat.example"]) == other + MAIL
    about_other = said.replace(b"friend.example", b"evil.example")
    assert not _passes_for_friend(await authenticate(about_other + MAIL, client, **RELAYED))


@pytest.mark.parametrize(
    ("written", "own"),
    [
        ("dmarc=pass header.from=friend.example", "dmarc=fail header.from=friend.example"),
        ("dmarc=pass header.from=friend.example", "dmarc=none"),
        ("dkim=pass header.d=friend.example", "dmarc=fail header.from=friend.example"),
        ("spf=pass smtp.mailfrom=friend.example", "dmarc=none"),
    ],
)
@pytest.mark.parametrize("author", [b"friend.example", b"quiet.example"])
async def test_8_an_envelope_sender_that_ends_the_comment_of_a_relay(
    written: str, own: str, author: bytes
) -> None:
    """rspamd 3.4 behind Postfix writes the sender into a comment without escaping its brackets."""
    written, own = (one.replace("friend.example", author.decode()) for one in (written, own))
    sender = f"a) ; {written} (b@evil.example"
    said = (
        f'Authentication-Results: mx.sat.example;\r\n\tdkim=none;\r\n\tspf=pass (mx.sat.example: domain of "{sender}"'
        f' designates {STRANGER} as permitted sender) smtp.mailfrom="{sender}";\r\n\t{own}\r\n'
    )
    mail = said.encode() + MAIL.replace(b"friend.example", author)
    found = await authenticate(mail, "10.1.2.3", '"a) (b"@evil.example', **RELAYED)
    assert found.level is AuthorLevel.UNPROVED
    if "dmarc" in written or "fail" in own:
        assert (await authenticate(mail, "10.1.2.3", **RELAYED)).level not in GOOD


@pytest.mark.parametrize(
    "mail",
    [
        sign(has_length=True) + b"Send money to mallory.\r\n",
        b"Subject: Send money\r\n" + sign(),
        sign(names=(b"from", b"to", b"date")),
        sign().replace(b"a=rsa-sha256", b"a=rsa-sha1"),
    ],
)
async def test_8_a_relay_that_believes_a_signature_which_is_no_proof(mail: bytes) -> None:
    said = (
        b"Authentication-Results: mx.sat.example; dkim=pass header.d=friend.example; %s"
        b" dmarc=pass header.from=friend.example\r\n"
    )
    found = await authenticate(said % b"" + mail, "10.1.2.3", **RELAYED)
    assert found.level is AuthorLevel.UNPROVED
    by_spf = said % b"spf=pass smtp.mailfrom=friend.example;" + mail
    assert (await authenticate(by_spf, "10.1.2.3", **RELAYED)).level is AuthorLevel.LIKELY


async def test_9_a_mail_to_several_recipients() -> None:
    """The level is the same for each named recipient: whom one of them blocks is decided by address, for each."""
    names = [f"boop{number}@sat.example" for number in range(5)]
    mail = MAIL.replace(b"boop@sat.example", ", ".join(names).encode())
    found = await authenticate(sign(mail))
    assert [found.level_for(name) for name in names] == [AuthorLevel.PROVED] * 5
    assert found.author == FRIEND
    forged = await authenticate(mail)
    assert [forged.level_for(name) for name in names] == [AuthorLevel.FORGED] * 5


@pytest.mark.parametrize(
    "name",
    [
        b'"alice@friend.example" <m@evil.example>',
        b'"Alice <alice@friend.example>" <m@evil.example>',
        b"alice@friend.example <m@evil.example>",
        b"(alice@friend.example) m@evil.example",
        b"=?utf-8?q?Alice_=3Calice=40friend=2Eexample=3E?= <m@evil.example>",
        b"\r\n alice@friend.example\r\n <m@evil.example>",
    ],
)
async def test_10_a_name_that_shows_another_address(name: bytes) -> None:
    mail = MAIL.replace(b"Alice <alice@friend.example>", name)
    found = await authenticate(sign(mail, "evil.example"), sender="m@evil.example")
    assert found.author in ("m@evil.example", "")
    assert not _passes_for_friend(found)


@pytest.mark.parametrize(
    "mail",
    [
        HEADER + b"Another text.\r\n",
        MAIL.replace(b"Hello", b"Send money"),
        MAIL.replace(b"Alice <", b"Alice Again <"),
        MAIL.replace(b"To: boop", b"To: other"),
    ],
)
async def test_a_changed_mail_with_the_signature_of_another(mail: bytes) -> None:
    field = sign()[: -len(MAIL)]
    assert (await authenticate(field + mail)).level is AuthorLevel.FORGED


@pytest.mark.parametrize(
    "record",
    [
        "v=DKIM1; k=rsa; p=",
        "v=DKIM1; k=rsa; t=y; ",
        "v=DKIM1; k=rsa; s=tlsrpt; ",
        "v=DKIM1; k=rsa; h=sha1; ",
        "v=DKIM2; k=rsa; ",
    ],
)
async def test_a_key_that_is_not_for_this(record: str) -> None:
    [(_, text)] = key_zone("friend.example")["k1._domainkey.friend.example"]
    assert isinstance(text, str)
    key = record if record.endswith("p=") else record + text.rpartition("; ")[2]
    zone = {"k1._domainkey.friend.example": [("TXT", key)]}
    assert (await authenticate(sign(), zone=zone)).level is AuthorLevel.FORGED


@pytest.mark.parametrize("broken", ["_dmarc.evil.example", "evil.example"])
@pytest.mark.parametrize("by", ["evil.example", "friend-example.example"])
async def test_dns_that_fails_for_another_domain_does_not_help_a_forged_mail(
    broken: str, by: str
) -> None:
    """The signature and the envelope sender of a forged mail are of domains whose owner may break their DNS."""
    zone: dict[str, list[Record]] = {
        broken: [FAILS],
        f"_dmarc.{by}": [FAILS],
        f"k1._domainkey.{by}": [FAILS],
    }
    found = await authenticate(sign(domain=by), sender="m@evil.example", zone=zone)
    assert (found.level, found.is_undecided) == (AuthorLevel.FORGED, False)


@pytest.mark.parametrize("selector", [b"a,b", b"\\000", b"..", "\u00e9".encode(), b"*"])
async def test_a_selector_that_is_no_name_is_not_asked(selector: bytes) -> None:
    content = sign().replace(b"s=k1;", b"s=" + selector + b";")
    found = await authenticate(content, zone={"_domainkey.friend.example": [FAILS]})
    assert (found.level, found.is_undecided) == (AuthorLevel.FORGED, False)
