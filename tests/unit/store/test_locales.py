"""Devices get the gateway's words in their language, and times in their time zone; else those of their owner."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from messaging.errors import Rejected
from messaging.model.invitation import EventTime, Invitation
from messaging.model.message import message_id
from messaging.store.accept.router import Router
from messaging.store.models import Device, Subscriber
from messaging.store.models import Message as Stored
from messaging.store.queue.ledger import Ledger
from tests.support.store import records as g
from tests.support.store.device_texts import take, typed
from tests.support.store.records import VIAS, Gateway

CREW = Invitation(
    "Crew change",
    EventTime(datetime(2026, 12, 1, 12, 0, tzinfo=UTC)),
    EventTime(datetime(2026, 12, 1, 13, 0, tzinfo=UTC)),
    "Pier 3",
    "REQUEST",
)
TEXT = "Invitation: Crew change\n2026-12-01 12:00 - 13:00 UTC\nPier 3"
INVITING = replace(g.mail("invited"), text=TEXT, whole_text=f"{TEXT}\n\n> old", invitation=CREW)
IN_BERLIN = "Einladung: Crew change\n2026-12-01 13:00 - 14:00 CET\nPier 3"


@pytest.fixture(autouse=True)
def berlin(gateway: Gateway) -> None:
    Subscriber.objects.update(time_zone="Europe/Berlin", language="de")


def test_an_invitation_is_told_in_the_zone_and_the_language_of_the_owner(gateway: Gateway) -> None:
    delivery = gateway.take_one(INVITING)
    assert delivery.message.text == IN_BERLIN
    assert delivery.message.invitation is None
    stored = Stored.objects.get(id=message_id("invited"))
    assert (stored.text, stored.whole_text) == (IN_BERLIN, f"{IN_BERLIN}\n\n> old")


def test_a_device_may_differ_from_its_owner(gateway: Gateway) -> None:
    Device.objects.update(time_zone="Pacific/Auckland", language="en")
    text = gateway.take_one(INVITING).message.text
    assert text == "Invitation: Crew change\n2026-12-02 01:00 - 02:00 NZDT\nPier 3"


def test_a_text_that_goes_nowhere_is_answered_in_the_language(typing: Gateway) -> None:
    Subscriber.objects.update(language="de")
    hint = take(typing, typed("@alise See you"))
    assert hint.message.text == "Nicht gesendet: kein Kontakt @alise"
    Device.objects.update(language="en")
    hint = take(typing, typed("@alise See you", "again"))
    assert hint.message.text == "Not sent: no contact @alise"


def test_a_failure_is_told_in_the_language(gateway: Gateway) -> None:
    settings = gateway.settings.model_copy(update={"device_failure_notices": True})
    telling = replace(
        gateway,
        settings=settings,
        router=Router(settings, VIAS, now=gateway.clock),
        ledger=Ledger(settings, VIAS, now=gateway.clock),
    )
    delivery = telling.take_one(g.uplink(g.email("mum@example.com")))
    telling.settle(delivery, Rejected("the mail bounced: the mailbox is full"))
    [told] = [one for one in telling.owed() if one.message.recipient.value == "1001"]
    assert told.message.text == (
        "Nicht zugestellt: mum@example.com: die Mail kam zurück: das Postfach ist voll"
    )
