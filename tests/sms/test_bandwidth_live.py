"""Bandwidth over real sockets, both ways: texts leave, and callbacks tell what became of them."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from messaging.errors import Unavailable
from messaging.message import Consent, Message, Receipt, ReceiptState, Result
from messaging.simulator.bandwidth import BandwidthSimulator, InboundText
from messaging.simulator.bandwidth_api import Account, Answer
from messaging.simulator.bandwidth_callbacks import CallbackHabits
from messaging.simulator.bandwidth_codes import DESCRIPTIONS
from messaging.simulator.faults import Faults
from messaging.simulator.serving import Serving
from messaging.sms.providers.bandwidth_errors import of_code
from messaging.sms.refusals import Kind
from messaging.sms.send import SmsSender
from tests.conformance.bandwidth import account_at
from tests.conformance.stand import SECRET
from tests.eventually import wait_until
from tests.sms.live import Live, live
from tests.sms.twilio_gateway import OURS, PHONE, delivery

ACCOUNT = Account(account_id="9900000", application_id="demo", username="boop", password=SECRET)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[BandwidthSimulator, str]]:
    habits = CallbackHabits(
        username="caller", password=f"{SECRET}-too", max_tries=20, retry_seconds=0.05
    )
    simulator = BandwidthSimulator(ACCOUNT, callbacks=habits)
    with Serving(simulator.app) as serving:
        yield simulator, serving.url


@pytest.fixture
def simulator(server: tuple[BandwidthSimulator, str]) -> Iterator[BandwidthSimulator]:
    simulator, _ = server
    yield simulator
    simulator.faults = Faults()
    simulator.texts.clear()


@pytest.fixture
def gateway(
    server: tuple[BandwidthSimulator, str], simulator: BandwidthSimulator
) -> Iterator[Live]:
    with live(account_at(server[1], timeout_seconds=20)) as found:
        simulator.callback_url = f"{found.url}/sms/bandwidth"
        yield found
        simulator.callback_url = None


def receipts(gateway: Live) -> list[Receipt]:
    return [one for one in gateway.router.all() if isinstance(one, Receipt)]


def phone_says(simulator: BandwidthSimulator, text: str) -> None:
    inbound = InboundText.model_validate({"from": PHONE, "to": OURS, "text": text})
    assert not asyncio.run(simulator.receive(inbound))[-1].failure


def test_a_text_leaves_with_our_reference_and_its_arrival_is_told(
    gateway: Live, simulator: BandwidthSimulator
) -> None:
    sent = delivery("grüße ⚓", subject="Weather")
    (outcome,) = gateway.send(sent)
    (text,) = simulator.sent()
    assert (text.sender, text.recipients, text.text) == (OURS, (PHONE,), "Weather\ngrüße ⚓")
    assert text.tag == f"{sent.message.id}-1"
    assert (outcome.result, outcome.network_id, outcome.units) == (Result.SENT, text.id, 1)
    wait_until(lambda: receipts(gateway))
    (receipt,) = receipts(gateway)
    assert (receipt.network_id, receipt.state) == (text.id, ReceiptState.DELIVERED)


def test_every_code_that_is_reported_later(gateway: Live) -> None:
    for code in DESCRIPTIONS:
        gateway.router.stored.clear()
        (outcome,) = gateway.send(delivery("hello", to=f"+1500550{code}"))
        assert outcome.result is Result.SENT
        wait_until(lambda: receipts(gateway))
        (receipt,) = receipts(gateway)
        meaning = of_code(code)
        is_open = meaning.kind is Kind.UNKNOWN
        assert receipt.state is (ReceiptState.ON_ITS_WAY if is_open else ReceiptState.FAILED), code
        assert receipt.reason == meaning.reason


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
    (text,) = simulator.sent()
    assert (second.result, second.network_id, second.units) == (Result.SENT, text.id, 1)


def test_a_text_that_was_not_taken_is_sent_again_also_beside_others(
    gateway: Live, simulator: BandwidthSimulator
) -> None:
    # Of equal length, but known as another delivery; of another length; failed; to somebody else.
    gateway.send(delivery("abcde", id=7), delivery("abcdef", id=8))
    gateway.send(delivery("abcde", id=9, to="+15005504720"), delivery("vwxyz", to="+15550003333"))
    simulator.answer_next(Answer(status=503))
    (first,) = gateway.send(delivery("fghij", id=10))
    (second,) = gateway.send(delivery("fghij", id=10, uncertain=True, attempt=2))
    assert (first.result, second.result) == (Result.UNCERTAIN, Result.SENT)
    assert [text.text for text in simulator.sent()].count("fghij") == 1


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
    wait_until(lambda: simulator.sent()[0].status in ("DELIVERED", "FAILED"))
    phone = LANDLINE if to == LANDLINE else PHONE
    (outcome,) = gateway.send(delivery("fghij", to=phone, uncertain=True, attempt=2))
    assert outcome.result is Result.SENT
    assert [text.text for text in simulator.sent()] == [before, "fghij"]


def test_while_the_records_cannot_be_read_nothing_is_sent_again(
    gateway: Live, simulator: BandwidthSimulator
) -> None:
    simulator.faults = Faults(error_rate=1, error_status=503)
    (outcome,) = gateway.send(delivery("hello", uncertain=True, attempt=2))
    assert outcome.result is Result.UNCERTAIN
    assert simulator.sent() == []


def test_a_text_from_a_phone_comes_with_credentials(
    gateway: Live, simulator: BandwidthSimulator
) -> None:
    phone_says(simulator, "Bring fish 🐟")
    (message,) = gateway.router.all()
    assert isinstance(message, Message)
    assert (message.sender.value, message.text) == (PHONE, "Bring fish 🐟")


@pytest.mark.parametrize("auth", [None, ("caller", "wrong"), ("boop", SECRET)])
def test_who_has_no_credentials_is_asked_for_them_and_stores_nothing(
    gateway: Live, auth: tuple[str, str] | None
) -> None:
    with httpx.Client(trust_env=False, auth=auth) as client:
        answer = client.post(f"{gateway.url}/sms/bandwidth", json=[{"type": "message-received"}])
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic realm=")
    assert gateway.router.all() == []


def test_a_callback_that_meets_a_503_comes_again(
    gateway: Live, simulator: BandwidthSimulator
) -> None:
    gateway.router.fails_with = {Receipt: Unavailable("the store is away")}
    before = simulator.counts()["callback requests"]
    gateway.send(delivery("hello"))
    wait_until(lambda: simulator.counts()["callback requests"] >= before + 2)
    assert receipts(gateway) == []
    gateway.router.fails_with = {}
    wait_until(lambda: receipts(gateway))


def test_callbacks_that_come_twice_say_one_thing(
    gateway: Live, simulator: BandwidthSimulator
) -> None:
    simulator.faults = Faults(duplicate_rate=1, reorder=True)
    before = simulator.counts()["callback requests"]
    gateway.send(*(delivery(f"text {n}", id=n) for n in range(5)))
    wait_until(lambda: simulator.counts()["callback requests"] >= before + 10, 30)
    wait_until(lambda: len(receipts(gateway)) == 5)


def test_a_phone_that_said_stop_is_opted_out_and_its_next_text_says_so_too(
    gateway: Live, simulator: BandwidthSimulator
) -> None:
    phone_says(simulator, "STOP")
    gateway.send(delivery("are you there"))
    wait_until(lambda: len(gateway.brought(Consent)) == 2)
    (receipt,) = receipts(gateway)
    assert receipt.state is ReceiptState.FAILED
    pairs = {
        (one.sender.value, one.recipient.value, one.allowed)
        for one in gateway.brought(Consent)
        if isinstance(one, Consent)
    }
    assert pairs == {(PHONE, OURS, False)}
    phone_says(simulator, "START")
    assert gateway.send(delivery("welcome back"))[0].result is Result.SENT
    wait_until(lambda: len(receipts(gateway)) == 2)
    assert receipts(gateway)[1].state is ReceiptState.DELIVERED


def test_the_check_says_what_to_enter_at_bandwidth(gateway: Live) -> None:
    said = gateway.account.connect("https://gateway.example/").check()
    assert "https://gateway.example/sms/bandwidth" in said
    assert SECRET not in said


@pytest.mark.parametrize("pair", [("client_id", "client_secret"), ("username", "password")])
def test_a_password_in_any_alphabet_is_sent(pair: tuple[str, str]) -> None:
    login = dict.fromkeys(("client_id", "client_secret", "username", "password"))
    login |= {pair[0]: "boop", pair[1]: "пароль"}
    habits = CallbackHabits()
    account = ACCOUNT.model_copy(update={"password": "пароль"})
    simulator = BandwidthSimulator(account, callbacks=habits)
    with Serving(simulator.app) as serving:
        sender = SmsSender(account_at(serving.url, **login, timeout_seconds=20))
        (entry,) = asyncio.run(sender.process([delivery("hello")]))
        sender.close()
    assert isinstance(entry, list)
    assert entry[0].result is Result.SENT
