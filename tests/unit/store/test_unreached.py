"""An emergency that does not reach a recipient: the others are told once, and paid repeats end until a person acts."""

import logging
from dataclasses import replace

import pytest

from messaging.cli.operation.status import emergency_lines
from messaging.errors import Rejected, Unavailable, Uncertain
from messaging.model.message import (
    Address,
    Bounce,
    Delivery,
    DeviceReport,
    Network,
    Receipt,
    ReceiptState,
    Sos,
    message_id,
)
from messaging.store.accept.router import Router
from messaging.store.console import messages
from messaging.store.console.emergencies import recent_emergencies
from messaging.store.models import Contact, DeliveryPart, Message, Subscriber
from messaging.store.models import Delivery as Row
from messaging.store.notices.unreached import NO_OTHER, NOT_REACHED
from messaging.store.queue import operator_actions
from messaging.store.queue.due import Due
from messaging.store.queue.ledger import Ledger
from messaging.store.states import State
from tests.support.store import records as g
from tests.support.store.records import VIAS, Gateway

OPERATOR, MUM, FRIEND = "watch@example.org", "mum@example.net", "+15559998888"
MAX_LOSSES = 4
HOUR = 3600


@pytest.fixture
def watched(gateway: Gateway) -> Gateway:
    """A gateway with an operator, two emergency contacts, and few losses of a text."""
    settings = gateway.settings.model_copy(
        update={"operator_addresses": OPERATOR, "sos_max_losses": MAX_LOSSES}
    )
    owner = Subscriber.objects.get()
    for name, address in (("mum", MUM), ("friend", FRIEND)):
        Contact.objects.create(owner=owner, name=name, address=address, is_emergency=True)
    router = Router(settings, VIAS, now=gateway.clock)
    ledger = Ledger(settings, VIAS, now=gateway.clock)
    due = Due(settings, {"hive": 10, "smtp": 10, "twilio": 10}, VIAS, now=gateway.clock)
    return replace(gateway, settings=settings, router=router, ledger=ledger, due=due)


def call(gateway: Gateway) -> dict[str, Delivery]:
    """Let the device call for help; return the deliveries by their recipients."""
    report = DeviceReport(
        id=message_id("sos"),
        sender=Address(Network.SATELLITE, "1001"),
        via="hive",
        at=gateway.clock.now,
        position=None,
        battery_percent=None,
        sos=Sos.DECLARED,
        text="broken leg",
    )
    return {one.message.recipient.value: one for one in gateway.accept(report)}


def row(recipient: str = FRIEND) -> Row:
    return Row.objects.get(message_id=message_id("sos"), recipient=recipient)


def notices() -> list[tuple[str, str]]:
    """Return the recipient and the subject of each message about a recipient that was not reached."""
    rows = Row.objects.filter(message__subject__startswith=NOT_REACHED).order_by("recipient")
    return [(one.recipient, one.message.subject) for one in rows]


def lose(gateway: Gateway, key: str, *, for_now: bool = True) -> None:
    """Let the network lose the text to the friend that it took last."""
    DeliveryPart.objects.create(
        delivery=row(), via="twilio", network_id=key, updated_at=gateway.clock.now
    )
    lost = Receipt(
        via="twilio",
        network_id=key,
        state=ReceiptState.FAILED,
        reason="the phone is off",
        retry_after_seconds=1 if for_now else None,
    )
    assert gateway.router.process([lost]) == [[]]


def send_again(gateway: Gateway) -> None:
    """Let the text to the friend, which waits, leave when it is due."""
    due_at = row().due_at
    assert due_at is not None
    gateway.clock.turn(max((due_at - gateway.clock.now).total_seconds(), 0) + 1)
    for one in gateway.owed():
        if one.message.id == message_id("sos"):
            gateway.settle(one)


def reach_all_but_the_friend(gateway: Gateway) -> Delivery:
    deliveries = call(gateway)
    gateway.settle(deliveries[MUM])
    gateway.settle(deliveries[OPERATOR])
    return deliveries[FRIEND]


TOLD = [(MUM, f"{NOT_REACHED}friend"), (OPERATOR, f"{NOT_REACHED}friend")]


def test_the_others_are_told_once_after_an_hour_of_losses(
    watched: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    watched.settle(reach_all_but_the_friend(watched))
    lose(watched, "sms-1")
    assert notices() == []
    watched.clock.turn(HOUR)
    send_again(watched)
    lose(watched, "sms-2")
    assert notices() == TOLD
    text = Message.objects.get(subject__startswith=NOT_REACHED).text
    assert "boop's device 1001 (hive) calls for help" in text
    assert "Why: the phone is off" in text
    assert "goes on trying" in text
    send_again(watched)
    lose(watched, "sms-3")
    assert notices() == TOLD
    assert watched.router.status()["unreached"] == 1
    critical = [one for one in caplog.records if one.levelno == logging.CRITICAL]
    assert [one.getMessage() for one in critical] == ["an emergency has not reached a recipient"]
    assert FRIEND not in caplog.text


def test_a_network_that_refuses_for_an_hour_is_told_of_and_tried_on(watched: Gateway) -> None:
    text = reach_all_but_the_friend(watched)
    watched.settle(text, Unavailable("out of order"))
    for _ in range(3 * MAX_LOSSES):
        watched.clock.turn(20 * 60)
        for one in watched.owed():
            is_text = one.message.recipient.value == FRIEND
            watched.settle(one, Unavailable("out of order") if is_text else None)
    assert notices() == TOLD
    assert (row().state, row().losses) == (State.WAITING, 0)
    due_at = row().due_at
    assert due_at is not None
    assert (due_at - watched.clock.now).total_seconds() <= 300 + 60
    assert watched.ledger.status()["unreached"] == 1


def test_a_final_refusal_and_a_bounce_are_told_at_once(watched: Gateway) -> None:
    watched.settle(reach_all_but_the_friend(watched), Rejected("no such number"))
    assert notices() == TOLD
    assert (
        "tries no more until its operator acts"
        in Message.objects.get(subject__startswith=NOT_REACHED).text
    )
    bounce = Bounce(
        id=message_id("bounce"),
        sender=g.email("mailer-daemon@example.com"),
        recipient=g.email("boop@example.org"),
        delivery_id=row(MUM).id,
        message_id=message_id("sos"),
        is_final=True,
        reason="no mailbox",
        via="smtp",
        raw=b"Subject: Undelivered",
    )
    watched.router.process([bounce])
    assert (OPERATOR, f"{NOT_REACHED}mum") in notices()
    assert watched.router.status()["unreached"] == 1


def test_after_so_many_losses_it_is_sent_no_more_until_a_person_retries_it(
    watched: Gateway,
) -> None:
    watched.settle(reach_all_but_the_friend(watched))
    for number in range(1, MAX_LOSSES):
        lose(watched, f"sms-{number}")
        assert (row().state, row().losses) == (State.WAITING, number)
        send_again(watched)
    lose(watched, "the last one")
    assert (row().state, row().losses) == (State.FAILED, MAX_LOSSES)
    assert row().reason == "lost 4 times, a person is needed; last: the phone is off"
    watched.clock.turn(400 * 24 * HOUR)
    assert [one.message.recipient.value for one in watched.owed()] == [MUM, OPERATOR]
    operator_actions.retry(Row.objects.filter(id=row().id), watched.settings, watched.clock.now)
    assert (row().state, row().losses) == (State.WAITING, 0)
    send_again(watched)
    assert row().state == State.SENT
    for number in range(MAX_LOSSES):
        lose(watched, f"again-{number}")
        if row().state == State.WAITING:
            send_again(watched)
    assert row().state == State.FAILED
    assert notices() == TOLD
    assert watched.router.status()["unreached"] == 2


def test_a_retry_of_a_text_that_still_waits_allows_as_many_losses_again(watched: Gateway) -> None:
    watched.settle(reach_all_but_the_friend(watched))
    lose(watched, "sms-1")
    operator_actions.retry(Row.objects.filter(id=row().id), watched.settings, watched.clock.now)
    assert (row().state, row().losses) == (State.WAITING, 0)
    assert row().due_at == watched.clock.now


@pytest.mark.parametrize("has_outcome", [True, False])
def test_an_attempt_without_an_answer_counts_as_lost(watched: Gateway, has_outcome: bool) -> None:
    [text] = watched.begin(reach_all_but_the_friend(watched))
    for number in range(1, MAX_LOSSES + 1):
        if has_outcome:
            watched.settle(text, Uncertain("no answer"))
            assert row().losses == number
        if row().state == State.FAILED:
            break
        watched.clock.turn(7 * 24 * HOUR)
        for one in watched.owed():
            if one.message.id == message_id("sos"):
                text = one
    watched.clock.turn(7 * 24 * HOUR)
    watched.owed()
    assert (row().state, row().losses) == (State.FAILED, MAX_LOSSES)
    assert row().reason.startswith("lost 4 times, a person is needed")
    assert notices() == TOLD


def test_mails_have_no_limit_of_losses(watched: Gateway) -> None:
    mail = call(watched)[MUM]
    for _ in range(2 * MAX_LOSSES):
        watched.settle(mail, Uncertain("no answer"))
        assert (row(MUM).state, row(MUM).losses) == (State.WAITING, 0)
        watched.clock.turn(400)
        owed = [one for one in watched.owed() if one.message.id == message_id("sos")]
        [mail] = [one for one in owed if one.message.recipient.value == MUM]


def test_the_others_are_told_once_the_emergency_has_reached_one_of_them(watched: Gateway) -> None:
    deliveries = call(watched)
    watched.clock.turn(HOUR)
    watched.settle(deliveries[FRIEND], Unavailable("out of order"))
    assert notices() == []
    assert watched.ledger.status()["unreached"] == 1
    watched.settle(deliveries[OPERATOR])
    watched.clock.turn(400)
    [text] = [one for one in watched.owed() if one.message.recipient.value == FRIEND]
    watched.settle(text, Unavailable("out of order"))
    assert notices() == TOLD


def test_without_another_recipient_it_is_kept_and_logged(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    Contact.objects.create(
        owner=Subscriber.objects.get(), name="friend", address=FRIEND, is_emergency=True
    )
    gateway.settle(call(gateway)[FRIEND], Rejected("no such number"))
    kept = Message.objects.get(subject__startswith=NOT_REACHED)
    assert (kept.reason, kept.deliveries.count()) == (NO_OTHER, 0)
    assert any(one.levelno == logging.CRITICAL for one in caplog.records)


def test_a_typed_call_is_told_of_once_for_each_recipient(watched: Gateway) -> None:
    typed = replace(g.uplink(g.phone(FRIEND)), text="SOS broken leg")
    for one in watched.accept(typed):
        error = Rejected("no such number") if one.message.recipient.value == FRIEND else None
        watched.settle(one, error)
    assert notices() == TOLD


def test_status_begins_with_it_and_show_names_the_message(watched: Gateway) -> None:
    watched.settle(reach_all_but_the_friend(watched), Rejected("no such number"))
    for one in watched.owed():
        watched.settle(one)
    watched.clock.turn(7 * 24 * HOUR)
    [emergency] = recent_emergencies(watched.clock.now)
    [line] = emergency_lines(emergency)
    assert line.startswith(f"NOT REACHED: {FRIEND} by twilio (no such number); it is tried no more")
    assert f"until `satbridge messages retry {message_id('sos')[:12]}`" in line
    history = messages.show(message_id("sos"))
    told = Message.objects.get(subject__startswith=NOT_REACHED).id
    shown = {one.recipient: one.unreached_notice for one in history.deliveries}
    assert shown == {MUM: None, OPERATOR: None, FRIEND: told}
    watched.clock.turn(32 * 24 * HOUR)
    assert recent_emergencies(watched.clock.now) == []


def test_status_names_what_waits_for_an_hour_without_any_outcome(watched: Gateway) -> None:
    reach_all_but_the_friend(watched)
    [emergency] = recent_emergencies(watched.clock.now)
    assert emergency.unreached == ()
    watched.clock.turn(HOUR)
    [emergency] = recent_emergencies(watched.clock.now)
    [line] = emergency_lines(emergency)
    assert line == (
        f"NOT REACHED: {FRIEND} by twilio (no answer yet);"
        " it is still tried, a lost text less and less often"
    )
