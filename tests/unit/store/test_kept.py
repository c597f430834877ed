"""The texts of dead letters can be read, and sent on: where they can be routed now, or to a named recipient; once."""

import asyncio
import logging
import os
from dataclasses import replace

import pytest

from messaging.errors import Rejected
from messaging.model.message import (
    Address,
    DeadLetter,
    DeviceReport,
    Inbound,
    Network,
    Position,
    Sos,
    message_id,
)
from messaging.satellite.account import Packet
from messaging.satellite.uplink import offer_packet
from messaging.store.accept.emergency import NO_RECIPIENT
from messaging.store.accept.routing import Policy
from messaging.store.console import directory, messages
from messaging.store.console.contacts import add_contact
from messaging.store.console.kept import KeptMessages
from messaging.store.console.readable import printable, readable
from messaging.store.console.save import InvalidInput
from messaging.store.console.selection import DeliveryFilter
from messaging.store.db.connection import close_connection
from messaging.store.models import AuditEntry, Delivery, Message
from messaging.store.queue.operator_actions import RetryResult
from messaging.store.retention.quota import Kept, read_counts
from messaging.store.retention.removal import blank_texts
from tests.support.store import records as g
from tests.support.store.device_texts import PLACE, offer, typed
from tests.support.store.records import Gateway

SMS = Address(Network.SMS, g.FRIENDS_NUMBER)


def kept(gateway: Gateway, operators: tuple[Address, ...] = ()) -> KeptMessages:
    policy = Policy("example.org", g.VIAS, operators=operators)
    return KeptMessages(gateway.settings, policy, now=gateway.clock)


def rows(key: str) -> list[tuple[str, str, str, str]]:
    found = Delivery.objects.filter(message_id=message_id(key)).order_by("id")
    return [(one.via, one.sender, one.recipient, one.state) for one in found]


@pytest.fixture
def sos(gateway: Gateway) -> str:
    """The id of an SOS that reaches no one: the owner has no emergency contact."""
    report = DeviceReport(
        id=message_id("sos"),
        sender=Address(Network.SATELLITE, "1001"),
        via="hive",
        position=replace(PLACE, at=gateway.clock.now),
        sos=Sos.DECLARED,
        text="broken leg",
    )
    assert gateway.router.process([report]) == [[]]
    return report.id


def test_an_sos_that_reached_no_one_is_read_with_its_text_and_position(
    gateway: Gateway, sos: str
) -> None:
    history = messages.show(sos)
    assert history.kept_because == NO_RECIPIENT
    assert history.message.state == "undeliverable"
    assert "SOS: boop's device 1001 (hive) calls for help" in history.text
    assert "It says: broken leg" in history.text
    assert (history.device, history.raw_text) == ("hive 1001", "")
    assert history.position is not None
    assert history.position.latitude == PLACE.latitude


def test_an_sos_goes_out_once_there_is_an_emergency_contact_and_only_once(
    gateway: Gateway, sos: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    still = kept(gateway).retry(sos)
    assert (still.deliveries, still.is_new, still.reason) == ((), False, NO_RECIPIENT)
    add_contact("boop", "wife", "wife@example.net", is_emergency=True)
    done = kept(gateway).retry(sos)
    assert done.is_new
    again = kept(gateway).retry(sos)
    assert (again.is_new, again.deliveries) == (False, done.deliveries)
    assert rows("sos") == [("smtp", "boop@example.org", "wife@example.net", "waiting")]
    [attempt] = gateway.owed()
    assert attempt.is_urgent
    assert attempt.message.subject.startswith("SOS: ")
    assert "broken leg" in attempt.message.text
    assert not attempt.message.text.startswith("SOS: ")
    [line] = [one for one in caplog.records if one.message.startswith("operator action")]
    assert (line.message_id, line.fields["actor"]) == (sos, f"cli:{os.getuid()}")  # type: ignore[attr-defined]
    entry = AuditEntry.objects.filter(kind="message").latest("id")
    assert (entry.action, entry.object_id, entry.channel) == ("retry", sos, "cli")
    gateway.settle(attempt)
    assert messages.show(sos).message.state == "sent"


def test_all_that_can_be_routed_now_is_sent_on_at_once(gateway: Gateway, sos: str) -> None:
    gateway.router.process([g.stranded()])
    add_contact("boop", "wife", "wife@example.net", is_emergency=True)
    assert messages.count_dead_letters(DeliveryFilter()) == 2
    assert kept(gateway).retry_all(DeliveryFilter(user="nobody")) == RetryResult(0, 0)
    assert kept(gateway).retry_all(DeliveryFilter(user="boop")) == RetryResult(1, 1)
    assert kept(gateway).retry_all(DeliveryFilter(user="boop")) == RetryResult(0, 1)


TARGETS = (
    ("mum@example.net", ("smtp", "boop@example.org", "mum@example.net")),
    (g.FRIENDS_NUMBER, ("twilio", g.BOOPS_NUMBER, g.FRIENDS_NUMBER)),
    ("+33 6 12 34 56 78", ("twilio", g.BOOPS_NUMBER, "+33612345678")),
    ("Ann", ("hive", "boop@example.org", "2001")),
    ("2001", ("hive", "boop@example.org", "2001")),
    ("ann@example.org", ("hive", "boop@example.org", "2001")),
)


@pytest.mark.parametrize(("to", "expected"), TARGETS, ids=[to for to, _ in TARGETS])
def test_a_text_without_a_recipient_is_sent_on_to_one(
    typing: Gateway, to: str, expected: tuple[str, str, str]
) -> None:
    directory.add_subscriber("ann")
    directory.add_device("2001", owner="ann", network="hive", networks=["hive"], codec="text")
    offer(typing, typed("bert@sat to another subscriber"))
    assert messages.show(message_id("typed")).text == "bert@sat to another subscriber"
    assert kept(typing).deliver(message_id("typed")[:9], to).is_new
    assert rows("typed") == [(*expected, "waiting")]
    assert not kept(typing).deliver(message_id("typed"), "other@example.net").is_new
    assert rows("typed") == [(*expected, "waiting")]
    [attempt] = [one for one in typing.owed() if one.message.id == message_id("typed")]
    assert attempt.message.text == "bert@sat to another subscriber"


WRONG = (
    ("nowhere", "neither a mailbox"),
    ("@mum", "no contact @mum"),
    ("mum@", "is no mailbox"),
    ("+1", "is no number with"),
    ("0612345678", "neither a mailbox"),
    ("ghost@example.org", "there is no subscriber here"),
    (g.FRIENDS_NUMBER, "asked not to get messages"),
)


@pytest.mark.parametrize(("to", "reason"), WRONG, ids=[to for to, _ in WRONG])
def test_a_recipient_that_cannot_get_it_is_refused(gateway: Gateway, to: str, reason: str) -> None:
    gateway.router.process([g.stranded(), g.consent(allowed=False)])
    with pytest.raises(InvalidInput, match=reason):
        kept(gateway).deliver(message_id("broken"), to)
    assert rows("broken") == []


def test_an_opt_out_does_not_hold_up_an_emergency(gateway: Gateway, sos: str) -> None:
    gateway.router.process([g.consent(allowed=False)])
    assert kept(gateway).deliver(sos, g.FRIENDS_NUMBER).is_new
    assert Delivery.objects.get().is_urgent


def test_a_message_that_is_no_dead_letter_is_refused(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(), Rejected("no such device"))
    with pytest.raises(InvalidInput, match="is no dead letter"):
        kept(gateway).deliver(message_id("one"), "mum@example.net")


def test_one_that_failed_goes_to_another_recipient_but_not_to_the_same_by_this_way(
    gateway: Gateway,
) -> None:
    gateway.router.process([g.stranded()])
    kept(gateway).deliver(message_id("broken"), "mum@example.net")
    gateway.settle(gateway.owed()[0], Rejected("no such mailbox"))
    with pytest.raises(InvalidInput, match="was sent there before"):
        kept(gateway).deliver(message_id("broken"), "mum@example.net")
    gateway.clock.turn(1)
    assert kept(gateway).deliver(message_id("broken"), "dad@example.net").is_new
    assert [row[2:] for row in rows("broken")] == [
        ("mum@example.net", "failed"),
        ("dad@example.net", "waiting"),
    ]


def offer_payload(gateway: Gateway, text: str) -> None:
    """Offer a packet of the device 9009 as its network brings it."""

    def process(record: Inbound) -> None:
        [result] = gateway.router.process([record])
        close_connection()
        if isinstance(result, Exception):
            raise result

    async def emit(record: Inbound) -> None:
        await asyncio.to_thread(process, record)

    raw = b'{"serial": 9009, "data": "68656c6c6f"}'
    packet = Packet(id="1", serial="9009", payload=text.encode(), raw=raw)
    asyncio.run(offer_packet(packet, "hive", emit))


def test_a_text_of_an_unknown_device_is_read_and_sent_on_once_it_is_registered(
    gateway: Gateway,
) -> None:
    offer_payload(gateway, "mum@example.net hello from sea")
    id = Message.objects.get().id
    history = messages.show(id)
    assert history.text == "mum@example.net hello from sea"
    assert '"data": "68656c6c6f"' in history.raw_text
    assert kept(gateway).retry(id).reason == "the device is not registered here"
    directory.add_device("9009", owner="boop", network="hive", networks=["hive"], codec="text")
    assert kept(gateway).retry(id).is_new
    [attempt] = gateway.owed()
    assert attempt.message.recipient.value == "mum@example.net"
    assert attempt.message.text == "hello from sea"
    assert messages.show(id).device == "hive 9009"


def test_a_text_without_a_recipient_never_becomes_an_answer_to_a_later_sender(
    typing: Gateway,
) -> None:
    offer(typing, typed("the key is under the mat"))
    typing.settle(typing.take_one(replace(g.mail("later"), sender=g.email("shop@example.net"))))
    result = kept(typing).retry(message_id("typed"))
    assert not result.deliveries
    assert result.reason.startswith("no contact to answer")


def test_a_text_from_an_unknown_device_goes_to_people_as_from_the_postmaster(
    gateway: Gateway,
) -> None:
    gateway.router.process(
        [replace(g.stranded(), sender=Address(Network.SATELLITE, "9009"), text="help us")]
    )
    kept(gateway).deliver(message_id("broken"), "coast@guard.example")
    assert rows("broken")[0][:3] == ("smtp", "postmaster@example.org", "coast@guard.example")
    text = gateway.owed()[0].message.text
    assert text.startswith("From 9009 (hive), 2026-01-01 12:00 UTC:\n\nhelp us")


def test_the_position_of_its_device_goes_along(typing: Gateway) -> None:
    report = DeviceReport(
        id=message_id("report"),
        sender=Address(Network.SATELLITE, "1001"),
        via="hive",
        position=Position(latitude=47.5, longitude=-8.5, at=typing.clock.now),
    )
    typing.router.process([report, typed("nowhere to go")])
    kept(typing).deliver(message_id("typed"), "mum@example.net")
    [attempt] = [one for one in typing.owed() if one.message.id == message_id("typed")]
    assert attempt.message.text.startswith("nowhere to go\nPosition 2026-01-01 12:00 UTC: ")


def test_an_automatic_answer_is_not_sent_to_a_device_by_a_retry(gateway: Gateway) -> None:
    dead = DeadLetter(
        id=message_id("answer"),
        sender=g.email("friend@example.com"),
        recipient=g.email("boop@example.org"),
        via="smtp",
        raw=b"Subject: away\r\n\r\nI am away",
        reason="an automatic answer",
        text="I am away",
    )
    gateway.router.process([dead])
    assert kept(gateway).retry(dead.id).reason == "an automatic answer"
    assert kept(gateway).deliver(dead.id, "boop").is_new
    assert rows("answer") == [("hive", "friend@example.com", "1001", "waiting")]


def test_mail_for_the_operators_goes_out_once_there_is_one(gateway: Gateway) -> None:
    gateway.router.process([g.mail("abuse", to="abuse@example.org")])
    assert not kept(gateway).retry(message_id("abuse")).deliveries
    operator = g.email("op@example.com")
    assert kept(gateway, (operator,)).retry(message_id("abuse")).is_new
    [attempt] = gateway.owed()
    assert attempt.message.subject == "Hi"
    assert attempt.message.text.endswith("from friend@example.com:\n\nhello")


def test_what_was_sent_on_is_no_dead_letter_for_retention(gateway: Gateway) -> None:
    gateway.router.process([replace(g.stranded(), text="hello")])
    id = message_id("broken")
    assert blank_texts([id], gateway.clock.now) == 0
    kept(gateway).deliver(id, "mum@example.net")
    assert blank_texts([id], gateway.clock.now) == 0
    gateway.settle(gateway.owed()[0])
    assert blank_texts([id], gateway.clock.now) == 1
    row = Message.objects.get()
    assert (row.text, row.raw) == ("", None)
    assert sum(one.rows for one in read_counts().values()) == Kept().rows


def test_bytes_are_shown_without_control_characters() -> None:
    assert readable(b"hello\nw\xc3\xb6rld\t!") == "hello\nwörld\t!"
    assert readable(b"\x00\xff\x1b[31mred") == "\\x00\\xff\\x1b[31mred"
    assert printable("a\u202eb\u200d\u00a0c\r\nd\re") == "a\\u202eb\u200d\u00a0c\nd\\re"
