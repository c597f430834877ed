"""An emergency reaches whoever shall know: from any device, past every limit, for as long as it takes."""

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from messaging.errors import Rejected, Unavailable
from messaging.model.message import (
    Address,
    Delivery,
    DeviceReport,
    Network,
    Position,
    Receipt,
    ReceiptState,
    Sos,
    message_id,
)
from messaging.store.accept.emergency import NO_RECIPIENT
from messaging.store.accept.positions import list_positions
from messaging.store.accept.router import Router
from messaging.store.console import directory, messages
from messaging.store.models import Contact, DeliveryPart, DevicePosition, Message, Subscriber
from messaging.store.models import Delivery as Row
from messaging.store.queue import operator_actions
from messaging.store.queue.claims import Claims
from messaging.store.states import State
from tests.support.store import records as g
from tests.support.store.records import VIAS, Clock, Gateway

OPERATOR = "watch@example.org"
MUM, FRIEND = "mum@example.net", "+15559998888"


def call(serial: str = "1001", key: str = "sos", **changes: object) -> DeviceReport:
    made = DeviceReport(
        id=message_id(key),
        sender=Address(Network.SATELLITE, serial),
        via="hive",
        at=datetime(2026, 1, 1, 11, 59, tzinfo=UTC),
        position=Position(
            latitude=47.5, longitude=-8.25, altitude_meters=1200.4, accuracy_meters=3000
        ),
        battery_percent=40,
        sos=Sos.DECLARED,
        text="broken leg",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def watched(gateway: Gateway) -> Gateway:
    """A gateway with an operator, and an owner with two emergency contacts and one other."""
    settings = gateway.settings.model_copy(update={"operator_addresses": f" {OPERATOR}, "})
    owner = Subscriber.objects.get()
    for name, address in (("mum", MUM), ("friend", FRIEND)):
        Contact.objects.create(owner=owner, name=name, address=address, is_emergency=True)
    Contact.objects.create(owner=owner, name="boss", address="boss@example.net")
    router = Router(settings, VIAS, now=gateway.clock)
    return replace(gateway, settings=settings, router=router)


def take(gateway: Gateway, beacon: DeviceReport) -> list[Delivery]:
    [result] = gateway.router.process([beacon])
    assert isinstance(result, list), result
    return result


def told(deliveries: list[Delivery]) -> set[str]:
    return {delivery.message.recipient.value for delivery in deliveries}


def test_everybody_is_told_everything_once(watched: Gateway) -> None:
    deliveries = take(watched, call())
    assert told(deliveries) == {MUM, FRIEND, OPERATOR}
    by_mail = next(d.message for d in deliveries if d.message.recipient.value == MUM)
    assert by_mail.sender.value == "boop@example.org"
    assert by_mail.subject == "SOS: boop's device 1001 (hive) calls for help"
    for said in (
        "broken leg",
        "2026-01-01 11:59 UTC",
        "47.50000, -8.25000, 1200 m high, within 3000 m or so",
        "https://www.openstreetmap.org/?mlat=47.50000&mlon=-8.25000\n",
        "40 %",
        "An answer goes to the device.",
    ):
        assert said in by_mail.text
    assert take(watched, call()) == []
    [position] = DevicePosition.objects.all()
    assert (position.sos, position.latitude, position.at) == ("declared", 47.5, call().at)
    assert Message.objects.get().device is not None


@pytest.mark.parametrize("sos", list(Sos))
def test_every_stage_of_an_emergency_is_told(watched: Gateway, sos: Sos) -> None:
    assert len(take(watched, call(sos=sos))) == 3


def test_a_device_or_an_owner_that_is_switched_off_is_heard(watched: Gateway) -> None:
    directory.change_device("1001", is_active=False)
    directory.change_subscriber("boop", is_active=False)
    deliveries = take(watched, call())
    assert told(deliveries) == {MUM, FRIEND, OPERATOR}
    assert "An answer does not reach the device" in deliveries[0].message.text


def test_an_unknown_device_is_heard_by_the_operator(watched: Gateway) -> None:
    [delivery] = take(watched, call("9999"))
    assert delivery.message.recipient.value == OPERATOR
    assert delivery.message.sender.value == "MAILER-DAEMON@example.org"
    assert "unknown device 9999 (hive)" in delivery.message.subject
    assert "An answer does not reach the device" in delivery.message.text


def test_no_limit_holds_it_back(watched: Gateway) -> None:
    for number in range(8):
        watched.router.process([g.uplink(g.email(MUM), f"up{number}")])
    [refused] = watched.router.process([g.uplink(g.email(MUM), "one too many")])
    assert isinstance(refused, Unavailable)
    assert len(take(watched, call())) == 3


def test_a_stop_does_not_hold_it_back(watched: Gateway) -> None:
    watched.router.process([g.consent(False, "before", FRIEND)])
    assert FRIEND in told(take(watched, call()))
    watched.router.process([g.consent(False, "after", FRIEND)])
    assert Row.objects.get(recipient=FRIEND).state == State.WAITING


def test_it_is_tried_for_as_long_as_it_takes(watched: Gateway) -> None:
    deliveries = take(watched, call())
    for _ in range(60):
        for delivery in deliveries:
            watched.settle(delivery, Unavailable("the relay is away"))
        longest = max(row.due_at for row in Row.objects.all() if row.due_at)
        assert (longest - watched.clock.now).total_seconds() <= 300 + 60
        watched.clock.turn(24 * 3600)
        deliveries = watched.owed()
        assert len(deliveries) == 3
        # While none of them was reached, none is told that another was not.
        assert Message.objects.count() == 1
    for delivery in deliveries:
        watched.settle(delivery)
    assert {row.state for row in Row.objects.all()} == {State.SENT}


@pytest.mark.parametrize("wish", [7200.0, 1e9])
def test_no_wish_of_a_network_puts_it_off_for_long(watched: Gateway, wish: float) -> None:
    for delivery in take(watched, call()):
        watched.settle(delivery, Unavailable("the phone is off", wish))
    for row in Row.objects.all():
        assert row.due_at
        assert (row.due_at - watched.clock.now).total_seconds() <= 300 + 60


def test_a_text_that_did_not_arrive_is_sent_again_soon_and_as_often_as_it_takes(
    watched: Gateway,
) -> None:
    for delivery in take(watched, call()):
        watched.settle(delivery)
    row = Row.objects.get(recipient=FRIEND)
    for attempt in range(1, 9):
        number = f"sms-{attempt}"
        DeliveryPart.objects.create(
            delivery=row, via="twilio", network_id=number, updated_at=watched.clock.now
        )
        lost = Receipt(
            via="twilio",
            network_id=number,
            state=ReceiptState.FAILED,
            reason="the phone is off",
            retry_after_seconds=7200,
        )
        assert watched.router.process([lost]) == [[]]
        watched.clock.turn(300 + 60)
        [again] = watched.owed()
        assert again.message.recipient.value == FRIEND
        watched.settle(again)


def test_a_text_that_is_lost_for_a_week_is_sent_slower_and_slower(watched: Gateway) -> None:
    [delivery] = [one for one in take(watched, call()) if one.message.recipient.value == FRIEND]
    watched.settle(delivery)
    row, started, sent = Row.objects.get(recipient=FRIEND), watched.clock.now, 1
    while watched.clock.now - started < timedelta(days=7):
        number = f"sms-{sent}"
        DeliveryPart.objects.create(
            delivery=row, via="twilio", network_id=number, updated_at=watched.clock.now
        )
        lost = Receipt(
            via="twilio",
            network_id=number,
            state=ReceiptState.FAILED,
            reason="the phone is off",
            retry_after_seconds=1,
        )
        assert watched.router.process([lost]) == [[]]
        due_at = Row.objects.get(id=row.id).due_at
        assert due_at is not None
        watched.clock.turn((due_at - watched.clock.now).total_seconds() + 1)
        Row.objects.filter(id=row.id).update(state=State.SENT, due_at=None, attempts=sent + 1)
        sent += 1
    assert 30 <= sent <= 70


def test_a_refusal_ends_it_and_a_retry_keeps_it_urgent(watched: Gateway) -> None:
    for delivery in take(watched, call()):
        watched.settle(delivery, Rejected("no such mailbox"))
    rows = Row.objects.filter(recipient=MUM)
    assert rows.get().state == State.FAILED
    operator_actions.retry(rows, watched.settings, watched.clock.now)
    watched.clock.turn(400 * 24 * 3600)
    owed = [one for one in watched.owed() if one.message.id == message_id("sos")]
    assert [one.message.recipient.value for one in owed] == [MUM]


def test_whom_nobody_could_tell_is_kept_and_cried_out(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    assert take(gateway, call()) == []
    [critical] = [one for one in caplog.records if one.levelno == logging.CRITICAL]
    assert critical.getMessage() == NO_RECIPIENT
    kept = Message.objects.get()
    assert kept.reason == NO_RECIPIENT
    assert b"broken leg" in bytes(kept.raw or b"")
    assert take(gateway, call()) == []


def test_an_emergency_goes_before_everything_that_waits(watched: Gateway) -> None:
    phone = g.phone("+15557776666")
    waiting = [d for n in range(4) for d in watched.accept(g.uplink(phone, key=f"{n}"))]
    emergency = [d for d in watched.accept(call()) if d.via == "twilio"]
    assert [d.is_urgent for d in waiting + emergency] == [False] * 4 + [True]
    watched.router.take_back([*waiting, *emergency])
    claims = Claims(watched.settings, VIAS)
    first, second = claims.claim("twilio", 1, watched.clock())
    assert (first.id, first.is_urgent) == (emergency[0].id, True)
    assert (second.id, second.is_urgent) == (waiting[0].id, False)


def test_an_owner_without_a_number_is_told_of_by_mail(watched: Gateway) -> None:
    directory.change_subscriber("boop", number="")
    assert told(take(watched, call())) == {MUM, OPERATOR}


def test_the_history_says_that_it_does_not_expire(watched: Gateway) -> None:
    take(watched, call())
    story = messages.show(message_id("sos"))
    assert all(delivery.is_urgent for delivery in story.deliveries)


def test_what_a_device_says_without_an_emergency_is_kept(gateway: Gateway, clock: Clock) -> None:
    assert take(gateway, call(sos=None)) == []
    assert take(gateway, call(sos=None)) == []
    assert take(gateway, call(key="later", sos=None, position=None, at=None)) == []
    latest, first = DevicePosition.objects.all()
    assert (latest.latitude, latest.battery_percent, latest.at) == (None, 40, clock.now)
    assert (first.longitude, first.altitude_meters, first.sos) == (-8.25, 1200.4, "")
    assert first.accuracy_meters == 3000
    [refused] = gateway.router.process([call("9999", sos=None)])
    assert isinstance(refused, Rejected)
    assert json.loads(json.dumps(gateway.router.status()))["beacon"] == 3


def test_where_devices_were_is_listed_the_newest_first(gateway: Gateway, clock: Clock) -> None:
    directory.add_subscriber("beep")
    directory.add_device("1002", owner="beep", network="hive", networks=["hive"])
    take(gateway, call(sos=None))
    take(gateway, call("1002", "later", sos=Sos.DECLARED, at=clock.now))
    rows = list_positions(limit=5)
    assert [(row.serial, row.owner, row.sos) for row in rows] == [
        ("1002", "beep", "declared"),
        ("1001", "boop", ""),
    ]
    assert [row.serial for row in list_positions(serial="1002", limit=5)] == ["1002"]
    assert [row.latitude for row in list_positions(owner="boop", limit=1)] == [47.5]
