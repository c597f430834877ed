"""Texts leave through Bandwidth over real sockets, each once."""

import pytest

from messaging.model.message import ReceiptState, Result
from messaging.simulator.bandwidth.api import Answer
from messaging.simulator.bandwidth.push import CallbackHabits
from messaging.simulator.bandwidth.server import BandwidthSimulator
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.serving import Serving
from tests.conformance.bandwidth import account_at
from tests.support.eventually import wait_until
from tests.support.sms.bandwidth.stage import ACCOUNT, receipts
from tests.support.sms.live import Live, live
from tests.support.sms.sync_sender import SyncSender
from tests.support.sms.twilio_gateway import OURS, PHONE, delivery


def test_a_text_leaves_with_our_reference_and_its_arrival_is_told(
    gateway: Live, simulator: BandwidthSimulator
) -> None:
    sent = delivery("grüße ⚓", subject="Weather")
    (outcome,) = gateway.send(sent)
    (text,) = simulator.outgoing_texts()
    assert (text.sender, text.recipients, text.text) == (OURS, (PHONE,), "Weather\ngrüße ⚓")
    assert text.tag == f"{sent.message.id}-1"
    assert (outcome.result, outcome.network_id, outcome.billed_units) == (Result.SENT, text.id, 1)
    wait_until(lambda: receipts(gateway))
    (receipt,) = receipts(gateway)
    assert (receipt.network_id, receipt.state) == (text.id, ReceiptState.DELIVERED)


@pytest.mark.parametrize(
    ("answer", "result", "words"),
    [
        (Answer(status=400), Result.REJECTED, "not valid"),
        (Answer(status=400, field="to"), Result.REJECTED, "recipient"),
        (Answer(status=400, field="from"), Result.UNAVAILABLE, "sending number"),
        (Answer(status=400, field="applicationId"), Result.UNAVAILABLE, "application"),
        (Answer(status=401), Result.UNAVAILABLE, "not recognised"),
        (Answer(status=403), Result.UNAVAILABLE, "not recognised"),
        (Answer(status=404), Result.UNAVAILABLE, "not found"),
        (Answer(status=405), Result.UNAVAILABLE, "not found"),
        (Answer(status=406), Result.REJECTED, "406"),
        (Answer(status=415), Result.REJECTED, "415"),
        (Answer(status=429), Result.UNAVAILABLE, "fewer requests"),
        (Answer(status=500), Result.UNCERTAIN, "may have taken"),
        (Answer(status=502), Result.UNCERTAIN, "may have taken"),
        (Answer(status=302), Result.UNAVAILABLE, "address"),
    ],
)
def test_every_answer_to_a_send(
    gateway: Live, simulator: BandwidthSimulator, answer: Answer, result: Result, words: str
) -> None:
    simulator.answer_next(answer)
    (outcome,) = gateway.send(delivery("hello"))
    assert outcome.result is result
    assert words in outcome.reason


def test_a_text_that_was_taken_in_spite_of_the_answer_is_not_sent_again(
    gateway: Live, simulator: BandwidthSimulator
) -> None:
    simulator.answer_next(Answer(status=500, taken=True))
    (first,) = gateway.send(delivery("a text of its own length"))
    assert first.result is Result.UNCERTAIN
    (second,) = gateway.send(delivery("a text of its own length", uncertain=True, attempt=2))
    (text,) = simulator.outgoing_texts()
    assert (second.result, second.network_id, second.billed_units) == (Result.SENT, text.id, 1)


def test_a_text_that_was_not_taken_is_sent_again_also_beside_others(
    gateway: Live, simulator: BandwidthSimulator
) -> None:
    # Of equal length, but known as another delivery; of another length; failed; to another number.
    gateway.send(delivery("abcde", id=7), delivery("abcdef", id=8))
    gateway.send(delivery("abcde", id=9, to="+15005504720"), delivery("vwxyz", to="+15550003333"))
    simulator.answer_next(Answer(status=503))
    (first,) = gateway.send(delivery("fghij", id=10))
    (second,) = gateway.send(delivery("fghij", id=10, uncertain=True, attempt=2))
    assert (first.result, second.result) == (Result.UNCERTAIN, Result.SENT)
    assert [text.text for text in simulator.outgoing_texts()].count("fghij") == 1


LANDLINE = "+15005504720"


@pytest.mark.parametrize(
    ("to", "before"),
    [(PHONE, "abcdef"), (LANDLINE, "abcde"), ("+15550003333", "abcde")],
    ids=["of another length", "failed", "to somebody else"],
)
def test_what_another_sender_sent_is_not_taken_for_a_text_that_it_cannot_be(
    gateway: Live, simulator: BandwidthSimulator, to: str, before: str
) -> None:
    with live(gateway.account) as other:
        other.send(delivery(before, to=to))
    wait_until(lambda: simulator.outgoing_texts()[0].status in ("DELIVERED", "FAILED"))
    phone = LANDLINE if to == LANDLINE else PHONE
    (outcome,) = gateway.send(delivery("fghij", to=phone, uncertain=True, attempt=2))
    assert outcome.result is Result.SENT
    assert [text.text for text in simulator.outgoing_texts()] == [before, "fghij"]


def test_while_the_records_cannot_be_read_nothing_is_sent_again(
    gateway: Live, simulator: BandwidthSimulator
) -> None:
    simulator.faults = Faults(error_rate=1, error_status=503)
    (outcome,) = gateway.send(delivery("hello", uncertain=True, attempt=2))
    assert outcome.result is Result.UNCERTAIN
    assert simulator.outgoing_texts() == []


@pytest.mark.parametrize("pair", [("client_id", "client_secret"), ("username", "password")])
def test_a_password_in_any_alphabet_is_sent(pair: tuple[str, str]) -> None:
    login = dict.fromkeys(("client_id", "client_secret", "username", "password"))
    login |= {pair[0]: "boop", pair[1]: "пароль"}
    habits = CallbackHabits()
    account = ACCOUNT.model_copy(update={"password": "пароль"})
    simulator = BandwidthSimulator(account, callbacks=habits)
    with Serving(simulator.app) as serving:
        sender = SyncSender(account_at(serving.url, **login, timeout_seconds=20))
        (outcome,) = sender.send(delivery("hello"))
        sender.close()
    assert outcome.result is Result.SENT
