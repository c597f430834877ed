"""What Prometheus is told of deliveries: each step counted once, after the commit, by provider."""

import time

from messaging.errors import Rejected, Unavailable
from messaging.model.message import Bounce, Outcome, Receipt, ReceiptState, SubmittedPart
from messaging.store.console.queues import queues
from messaging.store.models import Delivery
from tests.support.store import records as g
from tests.support.store.fill_queue import AGE_SECONDS, fill_queue
from tests.support.store.records import Gateway


def settled(part: object) -> object:
    return part.status()["settled"]  # type: ignore[attr-defined]


def test_the_ledger_counts_how_attempts_ended(gateway: Gateway) -> None:
    for number, error in enumerate(
        (None, Rejected("no"), Unavailable("busy"), Unavailable("busy"))
    ):
        gateway.settle(gateway.take_one(g.mail(str(number))), error)
    assert settled(gateway.ledger) == {"hive": {"sent": 1, "failed": 1, "waiting": 2}}


def test_the_router_counts_what_networks_say_later_once(gateway: Gateway) -> None:
    news = {"arrived": ReceiptState.DELIVERED, "lost": ReceiptState.FAILED}
    for name in news:
        delivery = gateway.take_one(g.mail(name))
        assert gateway.ledger.process([Outcome.sent(delivery, SubmittedPart(name))]) == [[]]
    receipts = [Receipt(via="hive", network_id=n, state=state) for n, state in news.items()]
    for _ in range(2):
        assert gateway.router.process(receipts) == [[], []]
    assert settled(gateway.router) == {"hive": {"delivered": 1, "failed": 1}}


def test_news_that_came_before_the_report_is_counted_by_the_ledger(gateway: Gateway) -> None:
    delivery = gateway.take_one()
    early = Receipt(via="hive", network_id="early", state=ReceiptState.DELIVERED)
    assert gateway.router.process([early]) == [[]]
    assert gateway.ledger.process([Outcome.sent(delivery, SubmittedPart("early"))]) == [[]]
    assert settled(gateway.ledger) == {"hive": {"sent": 1, "delivered": 1}}
    assert settled(gateway.router) == {}


def test_a_mail_that_comes_back_is_counted_as_failed(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(g.uplink(g.email("mum@example.com"))))
    row = Delivery.objects.get()
    back = Bounce(
        id="b" * 32,
        sender=g.email("mailer-daemon@example.com"),
        delivery_id=row.id,
        message_id=row.message_id,
        recipient=g.email("boop@example.org"),
        reason="no such mailbox",
        is_final=True,
        via="smtp",
        raw=b"",
    )
    assert gateway.router.process([back, back]) == [[], []]
    assert settled(gateway.router) == {"smtp": {"failed": 1}}


def test_due_counts_what_is_too_late(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(), Unavailable("busy"))
    gateway.clock.turn(100 * 3600)
    assert gateway.owed() == []
    assert settled(gateway.due) == {"hive": {"expired": 1}}


def test_the_queues_are_told_by_number_and_age(gateway: Gateway) -> None:
    assert queues() == []
    gateway.take_one(g.mail("old"))
    gateway.clock.turn(60)
    gateway.take_one(g.mail("new"))
    gateway.clock.turn(5)
    (queue,) = queues(gateway.clock.now)
    assert (queue.via, queue.waiting, queue.oldest_waiting_seconds) == ("hive", 2, 65)


def test_a_hundred_thousand_waiting_are_told_in_a_moment(sqlite_gateway: Gateway) -> None:
    sqlite_gateway.take_one()
    fill_queue(17, sqlite_gateway.clock)
    began = time.process_time()
    (queue,) = queues(sqlite_gateway.clock.now)
    took = time.process_time() - began
    assert (queue.waiting, queue.oldest_waiting_seconds) == (131_072, AGE_SECONDS)
    # 22 ms of a processor here, on either store; a busy machine is no reason to fail.
    assert took < 1
