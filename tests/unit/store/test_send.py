"""A person sends a message from here: on the way and within the limits of every message."""

import logging
import os

import pytest

from messaging.errors import Busy
from messaging.model.message import Address, Network
from messaging.store.accept.routing import Policy
from messaging.store.console import directory, messages
from messaging.store.console.save import InvalidInput
from messaging.store.console.selection import MessageFilter
from messaging.store.console.send import SentMessage, send_message
from messaging.store.models import AuditEntry, Delivery, Message
from tests.support.store import records as g
from tests.support.store.records import Gateway

OPERATOR = "anna@operators.example"
POSTMASTER = "postmaster@example.org"


def send(gateway: Gateway, to: str, text: str = "come home", *operators: str) -> SentMessage:
    addresses = tuple(Address(Network.EMAIL, one) for one in operators)
    policy = Policy("example.org", g.VIAS, operators=addresses)
    return send_message(to, text, gateway.settings, policy, gateway.clock)


TARGETS = (
    ("boop", ("hive", POSTMASTER, "1001")),
    ("BOOP@example.org", ("hive", POSTMASTER, "1001")),
    (g.BOOPS_NUMBER, ("hive", POSTMASTER, "1001")),
    ("1001", ("hive", POSTMASTER, "1001")),
    ("mum@example.net", ("smtp", POSTMASTER, "mum@example.net")),
)


@pytest.mark.parametrize(("to", "expected"), TARGETS, ids=[to for to, _ in TARGETS])
def test_a_message_is_due_at_once(gateway: Gateway, to: str, expected: tuple[str, ...]) -> None:
    done = send(gateway, to)
    row = Delivery.objects.get(message_id=done.message_id)
    assert (row.via, row.sender, row.recipient) == expected
    assert [(one.id, one.state) for one in done.deliveries] == [(row.id, "waiting")]
    [attempt] = gateway.owed()
    assert (attempt.message.text, attempt.attempt) == ("come home", 1)
    gateway.settle(attempt)
    found = messages.show(done.message_id[:12])
    assert (found.message.state, found.message.via, found.message.sender) == (
        "sent",
        "operator",
        POSTMASTER,
    )


def test_a_device_gets_it_as_from_an_operator_that_an_answer_reaches(gateway: Gateway) -> None:
    operators = ("boop@example.org", OPERATOR)
    for to, sender in (("boop", OPERATOR), ("1001", OPERATOR), ("mum@example.net", POSTMASTER)):
        done = send(gateway, to, "come home", *operators)
        assert Delivery.objects.get(message_id=done.message_id).sender == sender


def test_each_message_is_audited_and_has_one_line(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    done = send(gateway, "boop")
    [line] = caplog.records
    assert line.getMessage() == "operator action: send"
    assert line.message_id == done.message_id  # type: ignore[attr-defined]
    assert line.fields == {"actor": f"cli:{os.getuid()}", "number": 1}  # type: ignore[attr-defined]
    entry = AuditEntry.objects.get(action="send", object_id=done.message_id)
    assert (entry.kind, entry.channel) == ("message", "cli")


REFUSED = (
    ("nowhere", "is neither a mailbox"),
    ("nowhere@example.org", "no subscriber here"),
    (g.FRIENDS_NUMBER, "the operator has none"),
    ("+999", "is no number"),
)


@pytest.mark.parametrize(("to", "reason"), REFUSED, ids=[to for to, _ in REFUSED])
def test_a_recipient_that_cannot_be_reached_is_refused(
    gateway: Gateway, to: str, reason: str
) -> None:
    with pytest.raises(InvalidInput, match=reason):
        send(gateway, to)
    assert not Message.objects.exists()


def test_an_empty_text_and_an_inactive_device_are_refused(gateway: Gateway) -> None:
    with pytest.raises(InvalidInput, match="empty"):
        send(gateway, "boop", " ")
    directory.change_device("1001", is_active=False)
    with pytest.raises(InvalidInput, match="switched off"):
        send(gateway, "1001")
    with pytest.raises(InvalidInput, match="no device"):
        send(gateway, "boop")
    assert not Message.objects.exists()


def test_the_size_the_queue_and_the_hour_have_limits(gateway: Gateway) -> None:
    with pytest.raises(InvalidInput, match="longer than"):
        send(gateway, "boop", "x" * (gateway.settings.store_max_text_bytes + 1))
    settings = gateway.settings.model_copy(update={"max_hourly_per_pair": 2})
    policy = Policy("example.org", g.VIAS)
    for to in ("boop", "1001"):
        send_message(to, "hello", settings, policy, gateway.clock)
    with pytest.raises(Busy, match="within an hour"):
        send_message("boop", "hello", settings, policy, gateway.clock)
    gateway.clock.turn(3601)
    settings = settings.model_copy(update={"max_waiting_per_subscriber": 2})
    with pytest.raises(Busy, match="too many messages wait"):
        send_message("boop", "hello", settings, policy, gateway.clock)
    assert len(messages.list_messages(MessageFilter(via="operator"))) == 2
