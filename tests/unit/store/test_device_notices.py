"""A device is told in one short message that a text of its owner failed."""

from dataclasses import replace

import pytest

from messaging.errors import OptedOut, Rejected, Unavailable
from messaging.model.message import Bounce, DeadLetter, Delivery, Outcome, message_id
from messaging.store.accept.router import Router
from messaging.store.models import Delivery as DeliveryRow
from messaging.store.models import Device
from messaging.store.models import Message as Row
from messaging.store.notices.notices import VIA
from messaging.store.queue.due import Due
from messaging.store.queue.ledger import Ledger
from messaging.store.queue.operator_actions import cancel
from tests.support.store import records as g
from tests.support.store.records import VIAS, Gateway

MUM = "mum@example.com"


@pytest.fixture
def telling(gateway: Gateway) -> Gateway:
    """The same gateway with notices to devices."""
    settings = gateway.settings.model_copy(update={"device_failure_notices": True})
    router = Router(settings, VIAS, now=gateway.clock)
    ledger = Ledger(settings, VIAS, now=gateway.clock)
    due = Due(settings, {"hive": 10, "smtp": 10, "twilio": 10}, VIAS, now=gateway.clock)
    return replace(gateway, settings=settings, router=router, ledger=ledger, due=due)


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


def test_a_phone_that_says_stop_while_a_text_waits_is_told(telling: Gateway) -> None:
    telling.settle(
        telling.take_one(g.uplink(g.phone(g.FRIENDS_NUMBER))), Unavailable("the network is busy")
    )
    telling.accept(g.consent(allowed=False))
    [told] = owed(telling)
    assert told.message.text.startswith(f"Not delivered: {g.FRIENDS_NUMBER}: cancelled because")
    assert "(STOP)" in told.message.text


def test_what_a_person_cancels_is_not_told(telling: Gateway) -> None:
    telling.settle(telling.take_one(g.uplink(g.email(MUM))), Unavailable("busy"))
    cancel(DeliveryRow.objects.all(), telling.clock.now)
    assert owed(telling) == []


def test_texts_that_fail_at_once_are_told_in_one_message(telling: Gateway) -> None:
    texts = [g.uplink(g.email(f"{name}@example.com"), key=name) for name in ("ann", "ben", "mum")]
    for text in texts:
        telling.settle(telling.take_one(text), Unavailable("busy"))
    telling.clock.turn(121 * 3600)
    [told] = owed(telling)
    assert told.message.text.startswith(
        "3 texts not delivered: ann@example.com, ben@example.com, mum@example.com: not delivered"
    )
    assert Row.objects.filter(via=VIA).count() == 1
    assert len(told.message.text) <= 120


def test_many_failures_have_a_bounded_number_of_notices(telling: Gateway) -> None:
    settings = telling.settings.model_copy(update={"max_hourly_notices": 3})
    bounded = replace(telling, ledger=Ledger(settings, VIAS, now=telling.clock))
    for number in range(20):
        text = g.uplink(g.email(f"a{number}@example.com"), key=f"flood {number}")
        bounded.settle(bounded.take_one(text), Rejected("no such mailbox"))
    assert Row.objects.filter(via=VIA).count() == 3


def test_failures_of_mails_to_the_subscriber_use_up_no_notice_to_the_device(
    telling: Gateway,
) -> None:
    settings = telling.settings.model_copy(
        update={"max_hourly_notices": 3, "mail_failure_notices": True}
    )
    bounded = replace(telling, ledger=Ledger(settings, VIAS, now=telling.clock))
    for number in range(6):
        mail = replace(g.mail(f"flood {number}"), sender=g.email(f"a{number}@example.net"))
        bounded.settle(
            bounded.take_one(replace(mail, wants_notice=True)), Rejected("no such device")
        )
    assert Row.objects.filter(via=VIA).count() == 3
    bounded.settle(bounded.take_one(g.uplink(g.email(MUM))), Rejected("no such mailbox"))
    assert [one.message.text for one in owed(bounded)] == [f"Not delivered: {MUM}: no such mailbox"]


def test_a_part_that_arrived_is_told(telling: Gateway) -> None:
    delivery = telling.take_one(g.uplink(g.phone(g.FRIENDS_NUMBER)))
    telling.ledger.process([Outcome.failed(delivery, Rejected("the phone is off"), parts_sent=1)])
    [told] = owed(telling)
    assert told.message.text.startswith("Not delivered (a part arrived): +")


def test_a_device_that_packs_messages_is_told_that_a_recipient_was_refused(
    telling: Gateway,
) -> None:
    telling.accept(g.consent(allowed=False))
    text = g.uplink(g.phone(g.FRIENDS_NUMBER))
    [refusal] = telling.router.process([text])
    assert isinstance(refusal, Rejected)
    dead = DeadLetter(
        id=text.id,
        sender=text.sender,
        via=text.via,
        raw=b"packet",
        reason=refusal.reason,
        recipient=text.recipient,
        text=text.text,
    )
    [told] = telling.accept(dead)
    assert told.message.text == f"Not sent: {g.FRIENDS_NUMBER}: {refusal.reason}"
    assert telling.router.process([dead]) == [[]]
    assert Row.objects.filter(via=VIA).count() == 1
    # An unreadable packet has no recipient, and is kept only.
    unreadable = replace(dead, id=message_id("unreadable"), recipient=None, text="")
    assert telling.router.process([unreadable]) == [[]]
