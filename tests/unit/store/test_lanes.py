"""The lanes of an account take turns: a long queue in one of them does not delay the others."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.model.message import Delivery
from messaging.store.accept.router import Router
from messaging.store.console import directory
from messaging.store.db.connection import store_errors
from messaging.store.models import Delivery as Row
from messaging.store.queue.due import Due
from messaging.store.queue.lanes import LANES_AT_ONCE, MAX_IN_HAND
from messaging.store.queue.lease import HAND_OUT_SECONDS
from tests.support.store import records as g
from tests.support.store.due_deliveries import Hand
from tests.support.store.records import VIAS, Gateway


@pytest.fixture
def flooded(gateway: Gateway) -> Gateway:
    """A gateway with more subscribers, and without a bound on what waits."""
    wide = gateway.settings.model_copy(update={"max_waiting_per_subscriber": 10_000})
    gateway.settings = wide
    gateway.router = Router(wide, VIAS, now=gateway.clock)
    for number in range(1, 6):
        add(f"user{number}", f"200{number}")
    return gateway


def add(name: str, serial: str) -> None:
    directory.add_subscriber(name)
    directory.add_device(serial, owner=name, network="hive", networks=["hive"])


def owe(gateway: Gateway, number: int, name: str) -> None:
    """Make this many deliveries to the device of a subscriber due now."""
    records = [g.mail(f"{name} {n}", to=f"{name}@example.org") for n in range(number)]
    for result in gateway.router.process(records):
        assert isinstance(result, list)
    Row.objects.update(due_at=gateway.clock.now)


def serials(deliveries: list[Delivery]) -> list[str]:
    return [delivery.message.recipient.value for delivery in deliveries]


def test_each_lane_gets_one_before_any_gets_two(flooded: Gateway) -> None:
    owe(flooded, 40, "boop")
    for number in range(1, 4):
        owe(flooded, 2, f"user{number}")
    # There is room for ten.
    emitted = serials(flooded.hand_out())
    assert {serial: emitted.count(serial) for serial in set(emitted)} == {
        "1001": 4,
        "2001": 2,
        "2002": 2,
        "2003": 2,
    }


def test_no_lane_has_more_in_hand_than_its_share(flooded: Gateway) -> None:
    owe(flooded, 3 * MAX_IN_HAND, "boop")
    due = Due(flooded.settings, {"hive": 256}, VIAS, now=flooded.clock)
    hand = Hand()
    for _ in range(3):
        due.turn(hand)
    assert len(hand.taken) == MAX_IN_HAND
    # They come by age, and as many follow as have begun.
    ids = list(Row.objects.order_by("id").values_list("id", flat=True))
    flooded.begin(*(delivery for delivery, _ in hand.taken[:5]))
    due.turn(hand)
    assert [delivery.id for delivery, _ in hand.taken] == ids[: MAX_IN_HAND + 5]


def test_what_waits_in_hand_has_place_again_and_nothing_else_of_its_lane(
    flooded: Gateway,
) -> None:
    owe(flooded, 100, "boop")
    flooded.clock.turn(1)
    due = Due(flooded.settings, {"hive": 256}, VIAS, now=flooded.clock)
    began = flooded.clock.now
    for _ in range(5):
        due.turn(Hand())
        flooded.clock.turn(HAND_OUT_SECONDS)
    assert Row.objects.filter(updated_at__gte=began).count() == MAX_IN_HAND


def test_more_lanes_than_there_is_room_for_all_have_their_turn(flooded: Gateway) -> None:
    for number in range(30):
        add(f"more{number}", f"3{number:03}")
        owe(flooded, 2, f"more{number}")
    seen: list[str] = []
    for _ in range(3):
        hand_outs = flooded.hand_out()
        assert len(flooded.begin(*hand_outs)) == 10
        seen += serials(hand_outs)
    assert len(set(seen)) == 30


def test_more_lanes_than_one_claim_looks_at_all_have_their_turn(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    [delivery] = gateway.accept(g.mail())
    gateway.router.take_back([delivery])
    [row] = Row.objects.all()
    lanes = LANES_AT_ONCE + 20
    Row.objects.bulk_create(
        Row(**{**_columns(row), "recipient": f"{number:04}"})
        for number in range(lanes)
        for _ in range(2)
    )
    due = Due(gateway.settings, {"hive": 100}, VIAS, now=gateway.clock)
    seen: set[str] = set()
    for _ in range(4):
        hand = Hand()
        due.turn(hand)
        gateway.begin(*(delivery for delivery, _ in hand.taken))
        seen.update(serials([delivery for delivery, _ in hand.taken]))
    assert len(seen) == lanes + 1


def test_mails_of_one_subscriber_share_a_lane_and_those_of_another_come_next(
    flooded: Gateway,
) -> None:
    for number in range(30):
        mail = g.uplink(g.email(f"{number}@example.net"), f"flood {number}")
        flooded.router.take_back(flooded.accept(mail))
    other = g.uplink(g.email("mum@example.com"), "other", serial="2001")
    flooded.router.take_back(flooded.accept(other))
    Row.objects.update(due_at=flooded.clock.now)
    senders = [delivery.message.sender.value for delivery in flooded.hand_out()]
    assert sorted(senders) == ["boop@example.org"] * 9 + ["user1@example.org"]


def test_the_router_hands_out_a_share_of_each_lane_and_the_rest_waits(flooded: Gateway) -> None:
    batch = [g.mail(f"{n}") for n in range(MAX_IN_HAND + 4)] + [
        g.mail("other", to="user1@example.org")
    ]
    results = flooded.router.process(batch)
    assert [len(result) for result in results if isinstance(result, list)] == (
        [1] * MAX_IN_HAND + [0] * 4 + [1]
    )
    assert Row.objects.filter(due_at=flooded.clock.now).count() == 4


def test_a_new_delivery_does_not_overtake_those_that_wait_in_its_lane(flooded: Gateway) -> None:
    owe(flooded, 1, "boop")
    assert flooded.accept(g.mail("new")) == []
    assert len(flooded.accept(g.mail("other", to="user1@example.org"))) == 1
    waiting = list(Row.objects.filter(recipient="1001").order_by("id").values_list("id", flat=True))
    assert [delivery.id for delivery in flooded.hand_out()] == waiting


def test_a_delivery_that_waits_for_its_next_attempt_keeps_back_none_behind_it(
    flooded: Gateway,
) -> None:
    first = flooded.take_one()
    assert len(flooded.accept(g.mail("second"))) == 1
    row = Row.objects.get(id=first.id)
    assert row.due_at is not None
    assert row.due_at > flooded.clock.now


def test_an_urgent_delivery_has_place_whatever_waits_in_its_lane(flooded: Gateway) -> None:
    phone = g.phone("+15557776666")
    for number in range(3):
        flooded.router.take_back(flooded.accept(g.uplink(phone, f"{number}")))
    Row.objects.filter(via="twilio").update(is_urgent=True)
    assert [delivery.is_urgent for delivery in flooded.hand_out()] == [True] * 3


def test_the_lanes_of_a_batch_cost_one_statement(flooded: Gateway) -> None:
    counted = []
    for size in (1, 5):
        batch = [g.mail(f"{size} {n}", to=f"user{n + 1}@example.org") for n in range(size)]
        with store_errors(), CaptureQueriesContext(connection) as queries:
            flooded.router.process(batch)
        counted.append(len(queries))
    assert counted[0] == counted[1]


def _columns(row: Row) -> dict[str, object]:
    names = (field.attname for field in Row._meta.concrete_fields if not field.primary_key)
    return {name: getattr(row, name) for name in names}
