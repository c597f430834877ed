"""Further kinds of forged mails against a router with a store: replays, spellings, and headers of two meanings."""

import pytest

from messaging.store.admission.decisions import Choice, decide
from messaging.store.console.contacts import add_block
from messaging.store.models import Delivery, Message, Subscriber
from tests.support.mail.authentication import FRIEND, FRIENDS_SERVER, RELAY, STRANGER
from tests.support.mail.signed_mails import MAIL, sign
from tests.support.store.door import Door

PLAIN = MAIL.replace(b"boop@sat.example", b"boop@example.org")
AUTHOR = b"Alice <alice@friend.example>"
MALLORY = "m@evil.example"
NAMES = (b"from", b"to", b"subject", b"date", b"message-id", b"from")


def _states() -> list[str]:
    """Return the states of the deliveries to devices; an author may get a note besides."""
    return sorted(Delivery.objects.exclude(device=None).values_list("state", flat=True))


@pytest.mark.parametrize("names", [NAMES, (b"from", b"to", b"subject", b"date")])
def test_a_signed_mail_that_is_sent_again_is_a_repeat(door: Door, names: tuple[bytes, ...]) -> None:
    """The envelope, the sub-address and the fields that are not signed are others' to change."""
    signed = sign(PLAIN, names=names)
    number = b"<2@" if b"message-id" not in names else b"<1@"
    others = [
        signed,
        signed.replace(b"Message-ID: <1@", b"Message-ID: " + number),
        b"Message-ID: <3@evil.example>\r\n" + signed,
        b"Content-Type: text/html\r\n" + signed,
        b"Content-Type: image/png\r\n" + signed,
        b"In-Reply-To: <4@evil.example>\r\n" + signed,
    ]
    for content in others:
        assert (door.bring(content, STRANGER, FRIEND)).startswith("250")
    for sender, to in ((MALLORY, "boop"), ("n@evil.example", "boop"), (FRIEND, "boop+x")):
        assert (door.bring(signed, STRANGER, sender, f"{to}@example.org")).startswith("250")
    assert _states() == ["waiting"]


def test_a_signed_mail_that_nothing_tells_from_others_proves_nothing(door: Door) -> None:
    signed = sign(PLAIN, names=(b"from", b"to", b"subject"))
    assert (door.bring(signed, STRANGER, FRIEND)).startswith("250")
    message = Message.objects.get()
    assert (message.author_level, _states()) == ("unproved", ["held"])
    assert message.author_reason.endswith("covers neither Message-ID nor Date")
    again = signed.replace(b"<1@", b"<2@")
    assert (door.bring(again, FRIENDS_SERVER, FRIEND)).startswith("250")
    assert _states() == ["held", "waiting"]


def test_other_mails_of_the_author_are_no_repeats(door: Door) -> None:
    to_both = PLAIN.replace(b"boop@example.org", b"boop+a@example.org, boop+b@example.org")
    both = ("boop+a@example.org", "boop+b@example.org")
    assert (door.bring(sign(to_both, names=NAMES), STRANGER, FRIEND, *both)).startswith("250")
    again = PLAIN.replace(b"harbour", b"airport")
    assert (door.bring(sign(again, names=NAMES), STRANGER, FRIEND)).startswith("250")
    later = again.replace(b"12:00:00", b"12:00:01")
    for content in (again, later):
        assert (door.bring(sign(content), STRANGER, FRIEND)).startswith("250")
    assert _states() == ["waiting"] * 5


def test_a_copy_that_proves_nothing_does_not_stand_for_the_proved_one(door: Door) -> None:
    """An author of a list knows the mail before it arrives, and might send it first."""
    relaxed = PLAIN.replace(b"friend.example", b"quiet.example")
    Subscriber.objects.update(senders="open")
    assert (door.bring(relaxed, STRANGER, FRIEND)).startswith("250")
    assert (door.bring(sign(relaxed, "quiet.example"), STRANGER, FRIEND)).startswith("250")
    assert sorted(Message.objects.values_list("author_level", flat=True)) == ["proved", "unproved"]


def test_forged_mail_reaches_no_operator(door: Door) -> None:
    """It would leave with a signature of this gateway."""
    to = "postmaster@example.org"
    assert (door.bring(PLAIN, STRANGER, MALLORY, to)).startswith("550 5.7.1")
    assert not Message.objects.exists()
    verdict = b"Authentication-Results: mx.sat.example; dmarc=fail header.from=friend.example\r\n"
    assert (door.bring(verdict + PLAIN, RELAY, MALLORY, to)).startswith("250")
    assert not Delivery.objects.exists()
    assert "asks to refuse" in Message.objects.get().reason


HIDDEN = [
    PLAIN.replace(AUTHOR, b"=?utf-8?q?Alice_=3Calice=40friend=2Eexample=3E?="),
    PLAIN.replace(AUTHOR, b"<mailto:alice@friend.example>"),
    PLAIN.replace(AUTHOR, b"<@evil.example:alice@friend.example>"),
    PLAIN.replace(AUTHOR, b"alice@friend.example <>"),
    PLAIN.replace(AUTHOR, "Al\u00efce <alice@friend.example>".encode("latin-1")),
    b"From alice@friend.example Mon Nov 30\r\n" + PLAIN,
    b"\r\n" + PLAIN,
    b"\xef\xbb\xbf" + PLAIN,
    b"X-A: b\r\nno field\r\n" + PLAIN,
    PLAIN.replace(b"\r\n", b"\r"),
    PLAIN.replace(b"From:", b"X: \0\r\nFrom:"),
    PLAIN.replace(b"From: " + AUTHOR + b"\r\n", b""),
    b"From: m@evil.example\r\n" + PLAIN,
]


@pytest.mark.parametrize("mode", ["known", "open"])
def test_an_author_that_only_one_reader_finds_is_held_in_every_mode(door: Door, mode: str) -> None:
    """The domain of the author asks to refuse such mail, which a header of two meanings must not prevent."""
    Subscriber.objects.update(senders=mode)
    for number, content in enumerate(HIDDEN):
        sender = FRIEND if b"mallory" not in content else MALLORY
        unique = content.replace(b"<1@", b"<%d@" % number)
        assert (door.bring(unique, STRANGER, sender)).startswith(("250", "550"))
    assert set(_states()) == {"held"}
    assert not door.gateway.owed()


def test_a_malformed_author_of_a_domain_without_a_policy_reaches_an_open_subscriber(
    door: Door,
) -> None:
    Subscriber.objects.update(senders="open")
    content = HIDDEN[4].replace(b"friend.example", b"quiet.example")
    assert (door.bring(content, STRANGER, "alice@quiet.example")).startswith("250")
    assert _states() == ["waiting"]


def test_a_blocked_author_stays_blocked_under_other_spellings(door: Door) -> None:
    Subscriber.objects.update(senders="open")
    for one in (MALLORY, "k\u00f6nig@evil.example", "@b\u00fccher.example"):
        add_block(one, "boop")
    spellings = [
        "M@EVIL.example",
        "m@evil.example.",
        "m+tag@evil.example",
        "m@\uff45vil.example",
        "m@evil\u3002example",
        "ko\u0308nig@evil.example",
        "x@xn--bcher-kva.example",
        "x@news.B\u00dcCHER.example",
    ]
    for one in spellings:
        content = PLAIN.replace(AUTHOR, one.encode())
        assert (door.bring(sign(content, "evil.example"))).startswith("550"), one
    assert not Delivery.objects.exists()


def test_to_allow_an_author_releases_no_message_that_pretends(door: Door) -> None:
    """Copies that prove nothing wait beside a proved one: they cost nothing when the owner allows the author."""
    bob = PLAIN.replace(b"alice@friend.example", b"bob@quiet.example")
    for number in range(3):
        pretended = bob.replace(b"<1@", b"<p%d@" % number)
        assert (door.bring(pretended, STRANGER, MALLORY)).startswith("250")
    assert (door.bring(bob, FRIENDS_SERVER, "bob@quiet.example")).startswith("250")
    second = bob.replace(b"<1@", b"<2@")
    assert (door.bring(second, FRIENDS_SERVER, "bob@quiet.example")).startswith("250")
    sure = Message.objects.filter(author_level="likely").first()
    assert sure is not None
    assert decide(sure.id, Choice.ALLOW, door.gateway.settings, door.gateway.clock()) == 2
    assert _states() == ["held"] * 3 + ["waiting"] * 2
    levels = Delivery.objects.filter(state="held").values_list("message__author_level", flat=True)
    assert set(levels) == {"unproved"}
