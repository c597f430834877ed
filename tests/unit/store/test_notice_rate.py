"""A flood of mail from forged senders makes few notices, and costs nobody the notice whom the subscriber knows."""

from dataclasses import replace

import pytest
from django.db import transaction

from messaging.errors import Rejected
from messaging.model import message as values
from messaging.store.console import contacts
from messaging.store.models import Message
from messaging.store.notices.notices import TOO_MANY, VIA
from messaging.store.notices.rate import NoticeRate
from messaging.store.queue.ledger import Ledger
from tests.support.store import records as g
from tests.support.store.records import VIAS, Gateway

ANN, BOB = ("ann@x.example", 1), ("bob@x.example", 1)


@pytest.fixture
def two_an_hour(gateway: Gateway) -> Gateway:
    settings = gateway.settings.model_copy(update={"max_hourly_notices": 2})
    return replace(gateway, ledger=Ledger(settings, VIAS, now=gateway.clock))


def fail(gateway: Gateway, *authors: str) -> None:
    """Let a mail from each author to boop fail."""
    for number, author in enumerate(authors):
        message = replace(g.mail(f"{number} {author}"), sender=g.email(author), wants_notice=True)
        gateway.settle(gateway.take_one(message), Rejected("no such device"))


def told() -> list[str]:
    return list(
        Message.objects.filter(via=VIA).order_by("recipient").values_list("recipient", flat=True)
    )


def test_one_author_is_told_so_often_however_the_address_is_spelled(
    two_an_hour: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    contacts.add_contact("boop", "ann", "ann@x.example")
    fail(two_an_hour, "ann@x.example", "Ann@x.example", "ANN@x.example")
    assert told() == ["Ann@x.example", "ann@x.example"]
    assert [r.message for r in caplog.records if r.message == TOO_MANY] == [TOO_MANY]


def test_of_many_strangers_few_are_told_and_all_whom_the_subscriber_knows(
    two_an_hour: Gateway,
) -> None:
    contacts.add_contact("boop", "mum", "mum@x.example")
    two_an_hour.take_one(g.uplink(g.email("Dad@x.example")))
    fail(two_an_hour, *(f"forged{number}@x.example" for number in range(5)))
    fail(two_an_hour, "mum@x.example", "dad@x.example", "another@x.example")
    assert told() == [
        "dad@x.example",
        "forged0@x.example",
        "forged1@x.example",
        "mum@x.example",
    ]


def test_many_failures_in_one_batch_are_bounded_too(two_an_hour: Gateway) -> None:
    letters = [
        replace(g.mail(str(number)), sender=g.email(f"{number}@x.example"), wants_notice=True)
        for number in range(4)
    ]
    deliveries = [two_an_hour.take_one(letter) for letter in letters]
    no = Rejected("no such device")
    two_an_hour.ledger.process([values.Outcome.failed(delivery, no) for delivery in deliveries])
    assert len(told()) == 2


def test_after_a_while_there_is_room_again(sqlite_gateway: Gateway) -> None:
    moments = [1000.0]
    pace = NoticeRate(2, lambda: moments[0])
    with transaction.atomic():
        assert pace.allow([ANN, ANN, ANN, BOB]) == [True, True, False, False]
    moments[0] += 1800
    with transaction.atomic():
        assert pace.allow([BOB, ANN]) == [True, False]


def test_what_was_not_written_is_not_counted(sqlite_gateway: Gateway) -> None:
    pace = NoticeRate(1)
    with transaction.atomic():
        assert pace.allow([ANN]) == [True]
        transaction.set_rollback(True)
    assert pace.allow([ANN]) == [True]
    assert pace.allow([ANN]) == [False]
