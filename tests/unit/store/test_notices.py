"""The author of a message that reached nobody is told, once; nobody else is, and never about a notice."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.errors import OptedOut, Rejected, Unavailable, Uncertain
from messaging.model import message as values
from messaging.model.message import Outcome, message_id
from messaging.store.console import directory, messages
from messaging.store.console.selection import MessageFilter
from messaging.store.db.connection import close_connection, store_errors
from messaging.store.models import Delivery, Message, OptOut
from messaging.store.notices.notice_text import MAX_SMS_CHARACTERS
from messaging.store.notices.notices import VIA, notice_id
from messaging.store.queue.lanes import MAX_IN_HAND
from messaging.store.queue.ledger import Ledger
from messaging.store.queue.operator_actions import cancel, retry
from messaging.store.states import State
from tests.support.store import records as g
from tests.support.store.records import VIAS, Gateway

NO = Rejected("no such device")


def letter(key: str = "one", **changes: object) -> values.Message:
    given = {"wants_notice": True, "reference": "<1@friends.example>", **changes}
    return replace(g.mail(key), **given)  # type: ignore[arg-type]


def notices() -> list[Message]:
    return list(Message.objects.filter(via=VIA).order_by("id"))


def with_sms(gateway: Gateway, carriers: str = "") -> Gateway:
    """The same gateway with notices by SMS switched on."""
    changes = {"sms_failure_notices": True, "sms_carriers": carriers}
    settings = gateway.settings.model_copy(update=changes)
    return replace(gateway, ledger=Ledger(settings, VIAS, now=gateway.clock))


def test_a_failed_mail_is_told_to_its_author_by_the_ordinary_way(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(letter()), NO)
    [told] = gateway.owed()
    failure = told.message.failure
    assert failure is not None
    assert (told.via, told.attempt) == ("smtp", 1)
    assert told.message.id == notice_id(message_id("one"))
    assert told.message.recipient == g.email("friend@example.com")
    assert told.message.sender == g.email("MAILER-DAEMON@example.org")
    assert (failure.reason, failure.expired, failure.reference) == (
        "no such device",
        False,
        "<1@friends.example>",
    )
    assert failure.recipient == "boop@example.org"
    assert 'Your message "Hi" to boop@example.org could not be delivered' in told.message.text
    assert "Why: no such device." in told.message.text
    gateway.settle(told)
    assert Delivery.objects.get(id=told.id).state == State.SENT
    assert messages.list_messages(MessageFilter(user="boop"))[0].id == told.message.id


def test_what_expires_or_gives_up_between_attempts_is_told_too(gateway: Gateway) -> None:
    gateway.take_one(letter("old"))
    gateway.clock.turn(73 * 3600)
    [told] = gateway.owed()
    assert told.message.failure is not None
    assert told.message.failure.expired
    assert "The outcome of some attempts is unknown" in told.message.text
    gateway.settle(gateway.take_one(letter("spent")), Unavailable("no satellite in view"))
    Delivery.objects.filter(message_id=message_id("spent")).update(attempts=40)
    gateway.clock.turn(121)
    gateway.owed()
    assert {notice.id for notice in notices()} == {
        notice_id(message_id("old")),
        notice_id(message_id("spent")),
    }


@pytest.mark.parametrize("second", [NO, None])
def test_of_two_devices_the_last_one_decides(gateway: Gateway, second: Rejected | None) -> None:
    directory.add_device("1002", owner="boop", network="hive", networks=["hive"])
    here, there = gateway.to_all_devices().take(letter())
    gateway.settle(here, NO)
    assert notices() == []
    gateway.settle(there, second)
    assert len(notices()) == (second is not None)


def test_both_devices_failing_in_one_batch_make_one_notice(gateway: Gateway) -> None:
    directory.add_device("1002", owner="boop", network="hive", networks=["hive"])
    outcomes = [
        Outcome.failed(delivery, NO) for delivery in gateway.to_all_devices().take(letter())
    ]
    assert len(outcomes) == 2
    gateway.ledger.process(outcomes)
    [notice] = notices()
    assert notice.text.count("no such device") == 1


def test_nobody_is_told_twice_or_about_a_notice(gateway: Gateway) -> None:
    delivery = gateway.take_one(letter())
    gateway.settle(delivery, NO)
    [told] = gateway.owed()
    gateway.settle(told, Rejected("there is no such mailbox"))
    retry(Delivery.objects.filter(id=delivery.id), gateway.settings, gateway.clock.now)
    again = next(d for d in gateway.owed() if d.id == delivery.id)
    gateway.settle(again, NO)
    assert len(notices()) == 1


@pytest.mark.parametrize(
    "message",
    [
        letter(wants_notice=False),
        letter(sender=g.email("")),
        letter(sender=g.email("boop@example.org")),
        replace(g.uplink(g.email("mum@example.com")), wants_notice=True),
        replace(g.sms(), wants_notice=True),
    ],
)
def test_who_cannot_or_shall_not_be_told_is_not(gateway: Gateway, message: values.Message) -> None:
    gateway.settle(gateway.take_one(message), NO)
    assert notices() == []


def test_what_is_called_off_by_hand_is_no_failure(gateway: Gateway) -> None:
    gateway.take_one(letter())
    cancel(Delivery.objects.all(), gateway.clock.now)
    assert notices() == []


def test_without_mail_out_nobody_is_told(gateway: Gateway) -> None:
    ledger = Ledger(gateway.settings, {}, now=gateway.clock)
    ledger.process([Outcome.failed(gateway.take_one(letter()), NO)])
    assert notices() == []


def test_an_sms_author_gets_one_short_text_where_that_is_switched_on(gateway: Gateway) -> None:
    text = replace(g.sms(), wants_notice=True)
    reason = Rejected("x" * 500)
    with_sms(gateway).settle(gateway.take_one(text), reason)
    [told] = gateway.owed()
    assert (told.via, told.message.sender, told.message.recipient) == (
        "twilio",
        g.phone(g.BOOPS_NUMBER),
        g.phone(g.FRIENDS_NUMBER),
    )
    assert told.message.subject == ""
    assert told.message.text.startswith("Your text of 12:00 UTC could not be delivered: xxx")
    assert len(told.message.text) <= MAX_SMS_CHARACTERS


def test_a_phone_is_told_by_the_provider_that_has_the_number(gateway: Gateway) -> None:
    text = replace(g.sms(), wants_notice=True)
    carriers = f"{g.BOOPS_NUMBER}=bandwidth,*=twilio"
    with_sms(gateway, carriers).settle(gateway.take_one(text), NO)
    (owed,) = Delivery.objects.filter(message__via=VIA)
    assert owed.via == "bandwidth"


def test_a_phone_that_said_stop_is_not_told(gateway: Gateway) -> None:
    delivery = gateway.take_one(replace(g.sms(), wants_notice=True))
    gateway.router.process([g.consent(False)])
    with_sms(gateway).settle(delivery, NO)
    assert notices() == []


def test_a_mail_that_may_have_arrived_says_so(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(letter()), Uncertain("no answer in time"))
    gateway.clock.turn(121)
    [again] = gateway.owed()
    gateway.settle(again, NO)
    [notice] = notices()
    assert "it may have arrived all the same" in notice.text


def test_notices_do_not_fill_the_room_of_the_subscriber(gateway: Gateway) -> None:
    for number in range(8):
        gateway.settle(gateway.take_one(letter(str(number))), NO)
    assert len(notices()) == 8
    assert gateway.take_one(g.uplink(g.email("mum@example.com"))).via == "smtp"


def test_the_number_of_statements_does_not_grow_with_the_failures(gateway: Gateway) -> None:
    generous = gateway.settings.model_copy(update={"max_waiting_per_subscriber": 10_000})
    router = type(gateway.router)(generous, VIAS, now=gateway.clock)
    counted = []
    for size in (4, MAX_IN_HAND):
        taken = router.process([letter(f"{size} {n}") for n in range(size)])
        deliveries = [delivery for one in taken if isinstance(one, list) for delivery in one]
        with store_errors(), CaptureQueriesContext(connection) as queries:
            gateway.ledger.process([Outcome.failed(d, NO) for d in deliveries])
        counted.append(len(queries))
    assert counted[0] == counted[1] <= 10
    assert len(notices()) == 4 + MAX_IN_HAND


@pytest.mark.postgres
def test_two_ledgers_at_the_same_moment_lose_no_notice(postgres_gateway: Gateway) -> None:
    gateway = postgres_gateway.to_all_devices()
    directory.add_device("1002", owner="boop", network="hive", networks=["hive"])
    ledgers = [Ledger(gateway.settings, VIAS, now=gateway.clock) for _ in range(2)]
    for turn in range(20):
        deliveries = gateway.take(letter(str(turn)))
        start = threading.Barrier(2)

        def fail(number: int, mine: list[values.Delivery], start: threading.Barrier) -> None:
            start.wait()
            ledgers[number].process([Outcome.failed(mine[number], NO)])
            close_connection()

        both = [threading.Thread(target=fail, args=(n, deliveries, start)) for n in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert len(notices()) == turn + 1


def test_an_opt_out_that_the_network_knows_of_is_noted_and_counts_at_once(gateway: Gateway) -> None:
    to_phone = g.phone(g.FRIENDS_NUMBER)
    gateway.settle(gateway.take_one(g.uplink(to_phone, "1")), Unavailable("busy"))
    gateway.settle(gateway.take_one(g.uplink(to_phone, "2")), OptedOut("the recipient said STOP"))
    assert OptOut.objects.get().peer == g.FRIENDS_NUMBER
    states = set(Delivery.objects.values_list("message_id", "state"))
    assert states == {(message_id("1"), State.CANCELLED), (message_id("2"), State.FAILED)}
    [refused] = gateway.router.process([g.uplink(to_phone, "3")])
    assert isinstance(refused, Rejected)
    gateway.router.process([g.consent(True)])
    assert gateway.take_one(g.uplink(to_phone, "3")).via == "twilio"


def test_a_received_time_survives_the_store(gateway: Gateway) -> None:
    before = gateway.clock.now
    gateway.settle(gateway.take_one(letter()), NO)
    gateway.clock.turn(timedelta(hours=1).total_seconds())
    [told] = gateway.owed()
    assert told.message.failure is not None
    assert told.message.failure.received_at == before
