"""Forged mails against a router with a store: none is delivered or billed, and each has its reason."""

from typing import Any

import pytest

from messaging.store.accept.router import Router
from messaging.store.console import messages
from messaging.store.console.contacts import BlockRow, add_block
from messaging.store.console.directory import add_device, add_subscriber
from messaging.store.models import Delivery, Message, Subscriber
from tests.support.mail.authentication import (
    FRIEND,
    FRIENDS_SERVER,
    RELAY,
    SHARED_SENDER,
    STRANGER,
)
from tests.support.mail.dns_server import SILENT
from tests.support.mail.signed_mails import MAIL, seal, sign
from tests.support.store.door import Door
from tests.support.store.records import VIAS

PLAIN = MAIL.replace(b"boop@sat.example", b"boop@example.org")
VERDICT = b"Authentication-Results: mx.sat.example; dmarc=%s header.from=friend.example\r\n"
AUTHOR = b"Alice <alice@friend.example>"
DEVICES_OF_OTHERS = 4


def _kept_reason() -> str:
    """Return why the one message is kept; fails when it is to be sent. Its author may get a note besides."""
    row = Delivery.objects.exclude(device=None).get()
    assert row.state in ("held", "refused")
    assert (row.units or 0, row.attempts) == (0, 0)
    shown = messages.show(row.message_id)
    return f"{row.state} {row.hold}: {shown.author_reason}"


LOOKS_ALIKE = PLAIN.replace(AUTHOR, b"Alice <alice@friend-example.example>")
TO_OTHER = MAIL.replace(b"boop@sat.example", b"mallory@evil.example")
SHOWS_OTHER = PLAIN.replace(AUTHOR, b'"alice@friend.example" <m@evil.example>')
HELD = {
    "a domain that looks alike": (
        sign(LOOKS_ALIKE, "friend-example.example"),
        "held stranger: the author is proved: signed by friend-example.example (DKIM)",
    ),
    "two From fields": (
        sign(b"From: Mallory <m@evil.example>\r\n" + PLAIN),
        "held stranger: the author is unproved: it has 2 From fields",
    ),
    "a part that is appended": (
        sign(PLAIN, has_length=True) + b"Send money to mallory.\r\n",
        "held unproved: the author is unproved: its signature is no proof:"
        " it covers a part of the body only (l=)",
    ),
    "a second Subject": (
        b"Subject: Send money\r\n" + sign(PLAIN),
        "held unproved: the author is unproved: its signature is no proof:"
        " there are several Subject fields",
    ),
    "a replay to another recipient": (
        sign(TO_OTHER),
        "held unproved: the author is unproved: the signed To and Cc do not name this recipient",
    ),
    "a name that shows another address": (
        sign(SHOWS_OTHER, "evil.example"),
        "held stranger: the author is proved: signed by evil.example (DKIM)",
    ),
}
FORGED = {
    "SPF of a shared sender": (PLAIN, SHARED_SENDER),
    "ARC of an unknown sealer": (
        seal(VERDICT % b"pass" + PLAIN, "unknown-lists.example", "unknown-lists.example"),
        STRANGER,
    ),
    "results that the author wrote": (VERDICT % b"pass" + PLAIN, STRANGER),
    "a changed mail with the signature of another": (
        sign(PLAIN).replace(b"harbour", b"airport"),
        STRANGER,
    ),
}


@pytest.mark.parametrize("kind", HELD)
def test_a_mail_that_pretends_is_held_with_its_reason(door: Door, kind: str) -> None:
    content, reason = HELD[kind]
    assert (door.bring(content)).startswith("250")
    assert _kept_reason() == reason
    assert not [one for one in door.gateway.owed() if one.via == "hive"]


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_mail_is_refused_in_words(door: Door, kind: str) -> None:
    content, client = FORGED[kind]
    reply = door.bring(content, client)
    assert reply.startswith("550 5.7.1 ")
    assert reply.endswith("asks to refuse mail that does not prove that it is from there")
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("client", "content", "level"),
    [
        (STRANGER, sign(PLAIN), "proved"),
        (FRIENDS_SERVER, PLAIN, "likely"),
        (RELAY, VERDICT % b"pass" + PLAIN, "likely"),
    ],
)
def test_a_friend_is_delivered(door: Door, client: str, content: bytes, level: str) -> None:
    assert (door.bring(content, client, FRIEND)).startswith("250")
    assert Delivery.objects.get().state == "waiting"
    assert Message.objects.get().author_level == level


def test_a_trusted_relay_gets_no_refusal_for_the_author(door: Door) -> None:
    """It would bounce to the address that was forged: the mail is kept as refused."""
    assert (door.bring(VERDICT % b"fail" + PLAIN, RELAY)).startswith("250")
    assert (
        _kept_reason() == "refused : the author is forged: friend.example asks to reject it (DMARC)"
    )


def test_spam_of_a_trusted_relay_is_held_also_of_a_contact(door: Door) -> None:
    marked = b"X-Spam-Flag: YES\r\n" + VERDICT % b"pass" + PLAIN
    assert (door.bring(marked, RELAY, FRIEND)).startswith("250")
    assert _kept_reason().startswith("held spam: ")


@pytest.mark.parametrize(
    ("client", "states"), [(STRANGER, ["held", "waiting"]), (RELAY, ["waiting", "waiting"])]
)
def test_a_trusted_relay_is_no_network_of_strangers(
    door: Door, client: str, states: list[str]
) -> None:
    Subscriber.objects.update(senders="open")
    settings = door.gateway.settings.model_copy(update={"burst_hourly_per_client": 1})
    door.gateway.router = Router(settings, VIAS, now=door.gateway.clock)
    for author in ("bob@x.example", "eve@y.example"):
        content = PLAIN.replace(FRIEND.encode(), author.encode())
        assert door.bring(content, client, author).startswith("250")
    assert sorted(Delivery.objects.values_list("state", flat=True)) == states


def test_the_mark_of_a_stranger_holds_nothing(door: Door) -> None:
    marked = b"X-Spam-Flag: YES\r\n" + sign(PLAIN)
    assert (door.bring(marked)).startswith("250")
    assert Delivery.objects.get().state == "waiting"


def test_of_five_recipients_one_blocks_the_author(door: Door) -> None:
    names = ["boop", *(f"other{number}" for number in range(DEVICES_OF_OTHERS))]
    for number, name in enumerate(names[1:]):
        add_subscriber(name, senders="open")
        add_device(f"200{number}", owner=name, network="hive", networks=["hive"])
    add_block("@friend.example", "other0")
    to = ", ".join(f"{name}@example.org" for name in names).encode()
    content = sign(PLAIN.replace(b"boop@example.org", to))
    reply = door.bring(content, STRANGER, FRIEND, *(f"{one}@example.org" for one in names))
    assert reply.startswith("250")
    rows = {row.message.recipient: row.state for row in Delivery.objects.select_related("message")}
    assert rows.pop("other0@example.org") == "refused"
    assert set(rows.values()) == {"waiting"}
    assert len(rows) == DEVICES_OF_OTHERS


def test_a_block_of_all_recipients_is_the_reply(door: Door) -> None:
    assert isinstance(add_block(FRIEND, "boop"), BlockRow)
    assert (door.bring(sign(PLAIN), STRANGER, FRIEND)).startswith("550 5.7.1")
    assert not Message.objects.exists()


def test_without_dns_a_contact_is_put_off_and_a_stranger_held(door: Door) -> None:
    door.dns.zone = {"friend.example": [SILENT], "_dmarc.friend.example": [SILENT]}
    door.dns.zone |= {"x.example": [SILENT], "_dmarc.x.example": [SILENT]}
    assert (door.bring(PLAIN, FRIENDS_SERVER, FRIEND)).startswith("451")
    assert not Message.objects.exists()
    other = PLAIN.replace(FRIEND.encode(), b"bob@x.example")
    assert (door.bring(other, FRIENDS_SERVER, "bob@x.example")).startswith("250")
    assert _kept_reason() == "held stranger: the author is unproved: DNS did not answer"


def test_answers_go_to_a_signed_reply_to_only(door: Door) -> None:
    asks = PLAIN.replace(b"Subject:", b"Reply-To: alice@home.example\r\nSubject:")
    names: Any = (b"from", b"to", b"subject", b"date", b"reply-to")
    assert (door.bring(sign(asks, names=names))).startswith("250")
    assert Message.objects.get().answer_address == "alice@home.example"
