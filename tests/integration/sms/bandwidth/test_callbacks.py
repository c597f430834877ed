"""Bandwidth's callbacks over real sockets: what became of texts, what phones say, and strangers."""

import httpx
import pytest

from messaging.errors import Unavailable
from messaging.model.message import Message, OptOutChange, Receipt, ReceiptState, Result
from messaging.simulator.bandwidth.errors import DESCRIPTIONS
from messaging.simulator.bandwidth.server import BandwidthSimulator
from messaging.simulator.shared.faults import Faults
from messaging.sms.errors import Kind
from messaging.sms.providers.bandwidth.errors import of_code
from tests.conformance.stand import SECRET
from tests.support.eventually import wait_until
from tests.support.sms.bandwidth.stage import phone_says, receipts
from tests.support.sms.live import Live
from tests.support.sms.sync_sender import check
from tests.support.sms.twilio_gateway import OURS, PHONE, delivery


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
    wait_until(lambda: len(gateway.brought(OptOutChange)) == 2)
    (receipt,) = receipts(gateway)
    assert receipt.state is ReceiptState.FAILED
    pairs = {
        (one.sender.value, one.recipient.value, one.allowed)
        for one in gateway.brought(OptOutChange)
        if isinstance(one, OptOutChange)
    }
    assert pairs == {(PHONE, OURS, False)}
    phone_says(simulator, "START")
    assert gateway.send(delivery("welcome back"))[0].result is Result.SENT
    wait_until(lambda: len(receipts(gateway)) == 2)
    assert receipts(gateway)[1].state is ReceiptState.DELIVERED


def test_the_check_says_what_to_enter_at_bandwidth(gateway: Live) -> None:
    finding = check(gateway.account, "https://gateway.example/")
    assert "https://gateway.example/sms/bandwidth" in finding
    assert SECRET not in finding
