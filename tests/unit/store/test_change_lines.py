"""Each delivery that a person or a STOP changes has one line of the log; a great many are summed up."""

import logging
import os

import pytest

from messaging.errors import Rejected, Unavailable
from messaging.model.message import message_id
from messaging.store.audit.log_line import MAX_LINES
from messaging.store.console import messages
from messaging.store.console.selection import DeliveryFilter
from messaging.store.models import Delivery
from tests.support.store import records as g
from tests.support.store.fill_queue import fill_queue
from tests.support.store.records import Gateway

BY_HAND = f"cli:{os.getuid()}"


def lines(caplog: pytest.LogCaptureFixture, text: str) -> list[tuple[str, dict[str, object]]]:
    """Return the message id and the fields of each line with this text."""
    return [
        (getattr(one, "message_id", ""), getattr(one, "fields", {}))
        for one in caplog.records
        if one.getMessage() == text
    ]


@pytest.fixture
def waiting(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> Delivery:
    gateway.settle(gateway.take_one(g.mail("one")), Unavailable("busy"))
    caplog.clear()
    caplog.set_level(logging.INFO)
    return Delivery.objects.get()


def test_a_cancel_by_hand_has_a_line_for_each_delivery(
    waiting: Delivery, caplog: pytest.LogCaptureFixture
) -> None:
    messages.cancel(message_id("one"))
    [(message, fields)] = lines(caplog, "delivery cancelled")
    assert message == message_id("one")
    assert fields == {
        "delivery": waiting.id,
        "account": "hive",
        "reason": "cancelled by hand",
        "actor": BY_HAND,
    }
    messages.cancel(message_id("one"))
    assert len(lines(caplog, "delivery cancelled")) == 1


def test_a_retry_by_hand_has_a_line_for_each_delivery_that_it_changes(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.settle(gateway.take_one(g.mail("failed")), Rejected("no such device"))
    gateway.settle(gateway.take_one(g.mail("sent")))
    caplog.clear()
    caplog.set_level(logging.INFO)
    messages.retry_all(DeliveryFilter(via="hive"), gateway.settings)
    [(message, fields)] = lines(caplog, "delivery waiting")
    assert message == message_id("failed")
    assert (fields["actor"], fields["reason"]) == (BY_HAND, "tried again by hand")


def test_a_cancel_after_stop_has_a_line_for_each_delivery_and_no_actor(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.settle(gateway.take_one(g.uplink(g.phone(g.FRIENDS_NUMBER))), Unavailable("busy"))
    caplog.clear()
    caplog.set_level(logging.INFO)
    gateway.router.process([g.consent(False)])
    [(message, fields)] = lines(caplog, "delivery cancelled")
    assert message == message_id("up")
    assert "(STOP)" in str(fields["reason"])
    assert "actor" not in fields
    assert g.FRIENDS_NUMBER not in str(fields)


def test_many_deliveries_are_summed_up(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    gateway.take_one()
    fill_queue(8, gateway.clock)
    number = Delivery.objects.filter(state="waiting").count()
    assert number > MAX_LINES
    caplog.clear()
    caplog.set_level(logging.INFO)
    messages.cancel_all(DeliveryFilter(state="waiting"))
    assert len(lines(caplog, "delivery cancelled")) == MAX_LINES
    [(_, fields)] = lines(caplog, "more deliveries cancelled")
    assert fields["number"] == number - MAX_LINES
