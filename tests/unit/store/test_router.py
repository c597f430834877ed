"""The router takes batches into either store: whole, once, and each record with an answer of its own."""

import inspect
from collections.abc import Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.errors import Busy, Rejected
from messaging.model.message import Address, Inbound, Network
from messaging.store.accept.router import FULL_SECONDS, FullProviders, Router
from messaging.store.console import directory
from messaging.store.db.connection import store_errors
from messaging.store.models import Delivery
from messaging.store.models import Message as StoredMessage
from messaging.store.queue.lease import HAND_OUT_SECONDS
from messaging.store.states import State
from tests.support.store import records as g
from tests.support.store.records import Gateway


def test_nothing_of_the_router_is_async() -> None:
    methods = [m for _, m in inspect.getmembers(Router, callable)]
    assert not any(inspect.iscoroutinefunction(method) for method in methods)


def test_a_mail_to_a_subscriber_becomes_a_delivery_in_hand_to_the_device(gateway: Gateway) -> None:
    [delivery] = gateway.accept(g.mail(to="BOOP+weather@Example.ORG"))
    assert delivery.message.sender == g.email("friend@example.com")
    assert delivery.message.recipient == Address(Network.SATELLITE, "1001")
    assert (delivery.via, delivery.message.subject, delivery.message.text) == (
        "hive",
        "Hi",
        "hello",
    )
    assert (delivery.attempt, delivery.uncertain, delivery.parts_sent) == (1, False, 0)
    row = Delivery.objects.get(id=delivery.id)
    assert (row.state, row.attempts, row.leased) == (State.WAITING, 0, False)
    assert row.due_at is not None
    assert (row.due_at - gateway.clock.now).total_seconds() == HAND_OUT_SECONDS
    stored = StoredMessage.objects.get()
    assert (stored.recipient, stored.text) == ("BOOP+weather@Example.ORG", "hello")
    assert stored.subscriber is not None


def test_every_active_device_gets_its_own_delivery_where_all_shall(gateway: Gateway) -> None:
    for serial in ("1002", "1003"):
        directory.add_device(serial, owner="boop", network="hive", networks=["hive"])
    directory.change_device("1003", is_active=False)
    deliveries = gateway.to_all_devices().take(g.mail())
    assert [d.message.recipient.value for d in deliveries] == ["1001", "1002"]
    assert len({d.id for d in deliveries}) == 2


def test_a_message_offered_again_is_accepted_and_changes_nothing(gateway: Gateway) -> None:
    gateway.take_one()
    assert gateway.router.process([g.mail(), g.mail()]) == [[], []]
    assert (StoredMessage.objects.count(), Delivery.objects.count()) == (1, 1)
    assert gateway.router.status() == {
        "accepted": 1,
        "repeated": 2,
        "emergencies": 0,
        "unreached": 0,
        "settled": {},
    }


def test_the_same_message_twice_in_one_batch_is_taken_once(gateway: Gateway) -> None:
    first, second = gateway.router.process([g.mail(), g.mail()])
    assert isinstance(first, list)
    assert len(first) == 1
    assert second == []
    assert Delivery.objects.count() == 1


def test_a_repeat_is_accepted_even_when_the_message_would_be_refused_now(gateway: Gateway) -> None:
    gateway.take_one()
    directory.change_subscriber("boop", is_active=False)
    assert gateway.router.process([g.mail()]) == [[]]


def test_each_record_of_a_batch_has_an_answer_of_its_own(gateway: Gateway) -> None:
    unknown, taken, foreign = gateway.router.process(
        [g.mail("a", to="nobody@example.org"), g.mail("b"), g.mail("c", to="boop@example.com")]
    )
    assert isinstance(unknown, Rejected)
    assert isinstance(foreign, Rejected)
    assert isinstance(taken, list)
    assert gateway.router.status() == {
        "rejected_unknown_subscriber": 1,
        "accepted": 1,
        "rejected_not_ours": 1,
        "emergencies": 0,
        "unreached": 0,
        "settled": {},
    }


def test_an_inquiry_is_answered_like_a_message_and_stored_nowhere(gateway: Gateway) -> None:
    known, unknown = gateway.router.process([g.inquiry(), g.inquiry("nobody@example.org")])
    assert known == []
    assert isinstance(unknown, Rejected)
    assert StoredMessage.objects.count() == 0


def test_a_full_backlog_is_busy_until_something_leaves(gateway: Gateway) -> None:
    results = gateway.router.process([g.mail(str(n)) for n in range(6)])
    assert [isinstance(r, Busy) for r in results] == [False] * 5 + [True]
    assert isinstance(gateway.router.process([g.inquiry()])[0], Busy)
    first = results[0]
    assert isinstance(first, list)
    gateway.settle(first[0])
    assert gateway.router.process([g.inquiry()]) == [[]]
    assert isinstance(gateway.router.process([g.mail("5")])[0], list)


def test_a_flood_from_outside_does_not_keep_a_device_from_writing(gateway: Gateway) -> None:
    gateway.router.process([g.mail(str(n)) for n in range(6)])
    assert gateway.take_one(g.uplink(g.email("mum@example.com"))).via == "smtp"


def test_something_undeliverable_is_kept_with_its_bytes_for_people(gateway: Gateway) -> None:
    assert gateway.router.process([g.stranded(), g.stranded()]) == [[], []]
    row = StoredMessage.objects.get()
    assert (bytes(row.raw or b""), row.reason) == (b"\x00\xff", "not a message of ours")
    assert row.subscriber is not None
    assert row.subscriber.name == "boop"
    assert Delivery.objects.count() == 0


def test_bytes_beyond_the_limit_are_cut_and_that_is_said(gateway: Gateway) -> None:
    assert gateway.router.process([g.stranded(raw=b"x" * 2_000_000)]) == [[]]
    row = StoredMessage.objects.get()
    assert len(row.raw or b"") == 1_048_576
    assert "only the first 1048576 of its 2000000 bytes are kept" in row.reason


def test_what_could_not_be_handed_on_is_owed_at_once_and_not_counted(gateway: Gateway) -> None:
    [delivery] = gateway.accept(g.mail())
    gateway.router.take_back([delivery])
    row = Delivery.objects.get()
    assert (row.attempts, row.leased, row.due_at) == (0, False, gateway.clock.now)
    [again] = gateway.owed()
    assert (again.attempt, again.uncertain) == (1, False)


def test_after_one_found_no_room_the_next_for_that_provider_are_left_to_the_queue(
    gateway: Gateway,
) -> None:
    gateway.router.take_back(gateway.accept(g.mail("1")))
    assert gateway.router.process([g.mail("2")]) == [[]]
    assert gateway.take_one(g.uplink(g.email("mum@example.com"))).via == "smtp"
    assert [delivery.attempt for delivery in gateway.owed()] == [1, 1]


def test_a_provider_is_full_for_a_moment_only() -> None:
    now = 5.0
    full = FullProviders(lambda: now)
    full.note(["hive"])
    assert full.current() == {"hive"}
    now += FULL_SECONDS
    assert full.current() == frozenset()


def test_releasing_is_without_effect_once_the_attempt_is_over(gateway: Gateway) -> None:
    delivery = gateway.take_one()
    gateway.settle(delivery)
    gateway.router.take_back([delivery])
    assert Delivery.objects.get().state == State.SENT


@pytest.mark.parametrize("kind", ["mail", "uplink", "mixed"])
def test_the_number_of_statements_does_not_grow_with_the_batch(gateway: Gateway, kind: str) -> None:
    def batch(size: int) -> Sequence[Inbound]:
        mails = [g.mail(f"{kind}{size}m{n}") for n in range(size)]
        ups = [g.uplink(g.phone(f"+1555222{n:04}"), f"{kind}{size}u{n}") for n in range(size)]
        rest = [g.stranded(f"{size}s{n}") for n in range(size)] + [
            g.consent(n % 2 == 0, f"{size}c{n}", f"+1555333{n:04}") for n in range(size)
        ]
        batches: dict[str, Sequence[Inbound]] = {
            "mail": mails,
            "uplink": ups,
            "mixed": [*mails, *ups, *rest],
        }
        return batches[kind]

    counted = [statements(gateway, batch(size)) for size in (4, 300)]
    assert counted[0] == counted[1]
    assert counted[0] <= 23


def statements(gateway: Gateway, records: Sequence[Inbound]) -> int:
    generous = gateway.settings.model_copy(update={"max_waiting_per_subscriber": 10_000})
    router = Router(generous, g.VIAS, now=gateway.clock)
    with store_errors(), CaptureQueriesContext(connection) as queries:
        results = router.process(records)
    assert all(isinstance(result, list) for result in results)
    return len(queries)


def test_without_a_limit_any_number_may_wait(gateway: Gateway) -> None:
    lavish = gateway.settings.model_copy(
        update={"max_waiting_per_subscriber": 0, "max_hourly_per_pair": 0}
    )
    router = Router(lavish, g.VIAS, now=gateway.clock)
    results = router.process([g.mail(str(number)) for number in range(50)])
    assert all(isinstance(result, list) for result in results)
    assert Delivery.objects.filter(due_at__isnull=False).count() == 50
