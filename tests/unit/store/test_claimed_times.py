"""A time in the future, which a device's wrong clock claims, never counts: the time of receipt does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps

from messaging.model.message import (
    Address,
    DeviceReport,
    Message,
    Network,
    Position,
    Sos,
    message_id,
)
from messaging.store.accept.claimed_times import TOLERANCE, replace_impossible_times
from messaging.store.accept.positions import list_positions
from messaging.store.models import Contact, Device, DevicePosition, Subscriber
from messaging.store.models import Message as MessageRow
from tests.support.store import records as g
from tests.support.store.device_texts import take, typed
from tests.support.store.records import Clock, Gateway

YEAR_2030 = datetime(2030, 1, 1, tzinfo=UTC)
PLACE = Position(latitude=47.5, longitude=-8.25)


def report(key: str, at: datetime | None, latitude: float = 47.5, **more: object) -> DeviceReport:
    made = DeviceReport(
        id=message_id(key),
        sender=Address(Network.SATELLITE, "1001"),
        via="hive",
        at=at,
        position=replace(PLACE, latitude=latitude, at=at),
    )
    return replace(made, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "claimed", [YEAR_2030, datetime(1970, 1, 1, tzinfo=UTC), datetime(2007, 4, 7, tzinfo=UTC)]
)
def test_an_impossible_time_is_stored_by_its_receipt_and_keeps_its_claim(
    gateway: Gateway, clock: Clock, claimed: datetime
) -> None:
    gateway.accept(report("wrong", claimed, 1.0))
    received = clock.now
    clock.turn(60)
    gateway.accept(report("right", clock.now, 2.0))
    newest, oldest = list_positions(serial="1001", limit=5)
    assert (newest.latitude, newest.at, newest.claimed_at) == (2.0, clock.now, None)
    assert (oldest.latitude, oldest.at, oldest.claimed_at) == (1.0, received, claimed)


@pytest.mark.parametrize(("ahead", "is_believed"), [(TOLERANCE, True), (TOLERANCE * 1.1, False)])
def test_a_clock_may_be_some_minutes_ahead(
    clock: Clock, ahead: timedelta, is_believed: bool
) -> None:
    at = clock.now + ahead
    found = replace_impossible_times(report("ahead", at), clock.now)
    assert found.at == (at if is_believed else clock.now)
    assert found.claimed_at == (None if is_believed else at)


def test_a_time_of_the_position_alone_is_replaced_too(clock: Clock) -> None:
    sent = clock.now - timedelta(hours=1)
    one = replace(report("gps", sent), position=replace(PLACE, at=YEAR_2030))
    found = replace_impossible_times(one, clock.now)
    assert (found.at, found.claimed_at) == (sent, YEAR_2030)
    assert found.position == replace(PLACE, at=clock.now)


def test_a_text_says_the_time_of_receipt(typing: Gateway) -> None:
    place = replace(PLACE, at=YEAR_2030)
    by_mail = take(typing, typed("@alice Here", position=place))
    assert "Position 2026-01-01 12:00 UTC" in by_mail.message.text
    uplink = replace(g.uplink(g.email("dora@example.net")), position=place)
    assert "Position 2026-01-01 12:00 UTC" in take(typing, uplink).message.text


def test_an_emergency_says_both_times(gateway: Gateway) -> None:
    owner = Subscriber.objects.get()
    Contact.objects.create(owner=owner, name="mum", address="mum@example.net", is_emergency=True)
    [delivery] = gateway.accept(report("sos", YEAR_2030, sos=Sos.DECLARED))
    text = delivery.message.text
    assert "Sent: 2026-01-01 12:00 UTC" in text
    assert "The clock of the device is wrong, it says: 2030-01-01 00:00 UTC" in text


def test_positions_that_an_older_version_believed_win_no_more(
    gateway: Gateway, clock: Clock
) -> None:
    gateway.accept(report("true", clock.now, 2.0))
    device = Device.objects.get()
    future = datetime.now(UTC) + timedelta(days=3000)
    for key, latitude in (("first", 3.0), ("sos", 4.0)):
        DevicePosition.objects.create(
            id=message_id(key), device=device, at=future, latitude=latitude, longitude=0
        )
    sos_at = clock.now - timedelta(hours=2)
    MessageRow.objects.create(
        id=message_id("sos"), sender_network="satellite", via="hive", created_at=sos_at
    )
    assert [row.latitude for row in list_positions(limit=1)] == [2.0]
    migration = import_module("messaging.store.migrations.0011_claimed_times")
    for _ in range(2):
        migration.replace_future_times(apps, None)
        rows = list_positions(limit=5)
        assert [row.latitude for row in rows] == [2.0, 3.0, 4.0]
        assert [row.claimed_at for row in rows] == [None, future, future]
        assert rows[2].at == sos_at


def test_a_message_of_another_network_has_no_time_to_replace(clock: Clock) -> None:
    mail: Message = g.mail()
    assert replace_impossible_times(mail, clock.now) is mail
