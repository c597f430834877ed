"""A device is told in one short message that a text of its owner failed."""

from dataclasses import replace

import pytest

from messaging.errors import OptedOut, Rejected, Unavailable
from messaging.model.message import Bounce, Delivery, message_id
from messaging.store.accept.router import Router
from messaging.store.models import Device
from messaging.store.models import Message as Row
from messaging.store.notices.notices import VIA
from messaging.store.queue.ledger import Ledger
from tests.support.store import records as g
from tests.support.store.records import VIAS, Gateway

MUM = "mum@example.com"


@pytest.fixture
def telling(gateway: Gateway) -> Gateway:
    """The same gateway with notices to devices."""
    settings = gateway.settings.model_copy(update={"device_failure_notices": True})
    router = Router(settings, VIAS, now=gateway.clock)
    ledger = Ledger(settings, VIAS, now=gateway.clock)
    return replace(gateway, settings=settings, router=router, ledger=ledger)


def owed(gateway: Gateway) -> list[Delivery]:
    return [one for one in gateway.owed() if one.message.recipient.value == "1001"]


def test_a_refusal_is_told_once_by_the_account_of_the_text(telling: Gateway) -> None:
    telling.settle(telling.take_one(g.uplink(g.email(MUM))), Rejected("no such mailbox"))
    [told] = owed(telling)
    assert told.message.text == f"Not delivered: {MUM}: no such mailbox"
    assert (told.via, told.message.sender.value, told.message.subject) == ("hive", "", "")
    telling.settle(told, Rejected("no such device"))
    assert Row.objects.filter(via=VIA).count() == 1


def test_a_phone_that_opted_out_is_told(telling: Gateway) -> None:
    text = g.uplink(g.phone(g.FRIENDS_NUMBER))
    telling.settle(telling.take_one(text), OptedOut("the phone said STOP"))
    [told] = owed(telling)
    assert told.message.text == f"Not delivered: {g.FRIENDS_NUMBER}: the phone said STOP"


def test_a_bounce_is_told(telling: Gateway) -> None:
    delivery = telling.take_one(g.uplink(g.email(MUM)))
    telling.settle(delivery)
    report = Bounce(
        id=message_id("bounce"),
        sender=g.email("mailer-daemon@example.com"),
        recipient=g.email("boop@example.org"),
        delivery_id=delivery.id,
        message_id=delivery.message.id,
        is_final=True,
        reason="the mail bounced: the mailbox is full",
        via="smtp",
        raw=b"x",
    )
    assert telling.router.process([report]) == [[]]
    [told] = owed(telling)
    assert told.message.text.endswith("the mailbox is full")


def test_what_may_still_succeed_is_not_told(telling: Gateway) -> None:
    telling.settle(telling.take_one(g.uplink(g.email(MUM))), Unavailable("busy"))
    assert owed(telling) == []


def test_an_inactive_device_is_not_told(telling: Gateway) -> None:
    delivery = telling.take_one(g.uplink(g.email(MUM)))
    Device.objects.update(is_active=False)
    telling.settle(delivery, Rejected("no such mailbox"))
    assert owed(telling) == []


def test_the_setting_switches_it_off(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(g.uplink(g.email(MUM))), Rejected("no such mailbox"))
    assert owed(gateway) == []


def test_a_long_reason_is_cut(telling: Gateway) -> None:
    telling.settle(telling.take_one(g.uplink(g.email(MUM))), Rejected("no " * 100))
    [told] = owed(telling)
    assert len(told.message.text) <= 120
    assert told.message.text.endswith("...")
