"""Twilio over real sockets, both ways: texts leave, and callbacks tell what became of them."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from messaging.errors import Unavailable
from messaging.model.message import OptOutChange, Receipt, ReceiptState, Result
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.serving import Serving
from messaging.simulator.twilio.errors import TEXTS, is_found_out_later
from messaging.simulator.twilio.server import InboundText, TwilioSimulator
from messaging.sms.errors import Kind
from messaging.sms.providers.twilio.errors import MEANINGS
from tests.support.eventually import wait_until
from tests.support.sms.live import Live, live
from tests.support.sms.sync_sender import check
from tests.support.sms.twilio_gateway import OURS, PHONE, SID, TOKEN, account, delivery

SERVICE = "MG" + "1" * 32
REFUSED_AT_ONCE = {
    Kind.PERMANENT: Result.REJECTED,
    Kind.OPTED_OUT: Result.REJECTED,
    Kind.CONFIGURATION: Result.UNAVAILABLE,
    Kind.PASSING: Result.UNAVAILABLE,
}


@pytest.fixture(scope="module")
def simulator() -> TwilioSimulator:
    services = {SERVICE: [OURS], "MG" + "0" * 32: []}
    return TwilioSimulator(SID, TOKEN, services=services)


@pytest.fixture(scope="module")
def api_url(simulator: TwilioSimulator) -> Iterator[str]:
    with Serving(simulator.app) as server:
        yield server.url


@pytest.fixture
def gateway(api_url: str) -> Iterator[Live]:
    with live(account(api_url=api_url)) as found:
        yield found


def with_service(api_url: str, sid: str) -> Any:
    return live(account(api_url=api_url, messaging_service_sid=sid))


def phone_says(simulator: TwilioSimulator, body: str) -> None:
    inbound = InboundText.model_validate({"from": PHONE, "to": OURS, "body": body})
    assert not asyncio.run(simulator.receive(inbound))[-1].failure


def receipts(gateway: Live) -> list[Receipt]:
    return [one for one in gateway.router.all() if isinstance(one, Receipt)]


def test_a_text_that_arrived_is_told_by_a_signed_callback(gateway: Live) -> None:
    (outcome,) = gateway.send(delivery("hello"))
    wait_until(lambda: receipts(gateway))
    (receipt,) = receipts(gateway)
    assert (receipt.network_id, receipt.state) == (outcome.network_id, ReceiptState.DELIVERED)


@pytest.mark.parametrize("code", [code for code in MEANINGS if not is_found_out_later(code)])
def test_every_code_that_refuses_at_once(gateway: Live, code: int) -> None:
    (outcome,) = gateway.send(delivery("hello", to=f"+150055{code}"))
    assert outcome.result is REFUSED_AT_ONCE[MEANINGS[code].kind]
    expected = "the SMS provider asked for fewer requests"  # said by the status, whatever the body
    assert outcome.reason == (expected if code == 20429 else MEANINGS[code].reason)
    assert outcome.opted_out is (code == 21610)


@pytest.mark.parametrize("code", [code for code in MEANINGS if is_found_out_later(code)])
def test_every_code_that_the_mobile_network_reports_later(gateway: Live, code: int) -> None:
    (outcome,) = gateway.send(delivery("hello", to=f"+150055{code}"))
    assert outcome.result is Result.SENT
    wait_until(lambda: receipts(gateway))
    (receipt,) = receipts(gateway)
    assert (receipt.state, receipt.reason) == (ReceiptState.FAILED, MEANINGS[code].reason)


def test_the_simulator_knows_every_code_of_the_table() -> None:
    assert MEANINGS.keys() <= TEXTS.keys()


def test_callbacks_that_come_twice_and_out_of_order_say_one_thing(
    gateway: Live, simulator: TwilioSimulator
) -> None:
    before = simulator.counts()["webhook requests"]
    simulator.faults = Faults(duplicate_rate=1, reorder=True)
    try:
        for number in range(8):
            gateway.send(delivery(f"text {number}"))
        # sent and delivered, twice each
        wait_until(lambda: simulator.counts()["webhook requests"] == before + 32)
        wait_until(lambda: len(receipts(gateway)) == 8)
    finally:
        simulator.faults = Faults()
    assert {one.state for one in receipts(gateway)} == {ReceiptState.DELIVERED}


def test_a_callback_that_meets_a_503_comes_again(gateway: Live, simulator: TwilioSimulator) -> None:
    gateway.router.fails_with = {Receipt: Unavailable("the store is away")}
    before = simulator.counts()["webhook requests"]
    gateway.send(delivery("hello"))
    wait_until(lambda: simulator.counts()["webhook requests"] >= before + 3)
    gateway.router.fails_with = {}
    wait_until(lambda: receipts(gateway))


@pytest.mark.parametrize(("text", "units"), [("hello", 1), ("⚓" * 71, 2), ("a" * 161, 2)])
def test_a_text_costs_its_segments(gateway: Live, text: str, units: int) -> None:
    (outcome,) = gateway.send(delivery(text))
    assert outcome.billed_units == units


def test_by_a_messaging_service_texts_keep_their_number_and_their_count(
    api_url: str, simulator: TwilioSimulator
) -> None:
    with with_service(api_url, SERVICE) as gateway:
        (outcome,) = gateway.send(delivery("⚓" * 71))
    text = simulator.outgoing_texts()[-1]
    assert (text.sender, text.messaging_service_sid) == (OURS, SERVICE)
    assert (text.resource()["sid"], outcome.billed_units) == (outcome.network_id, 2)


def test_an_answer_over_whatsapp_leaves_without_the_messaging_service(
    api_url: str, simulator: TwilioSimulator
) -> None:
    ours, theirs = f"whatsapp:{OURS}", f"whatsapp:{PHONE}"
    with with_service(api_url, SERVICE) as gateway:
        (outcome,) = gateway.send(delivery(sender=ours, to=theirs))
    assert outcome.result is Result.SENT
    text = simulator.outgoing_texts()[-1]
    assert (text.sender, text.recipient, text.messaging_service_sid) == (ours, theirs, None)


@pytest.mark.parametrize(
    ("sid", "sender", "words"),
    [
        ("MG" + "9" * 32, OURS, "not found"),
        ("MG" + "0" * 32, OURS, "has no number"),
        (SERVICE, "+15550007777", "not in its messaging service"),
    ],
)
def test_a_messaging_service_that_is_wrong_is_the_operators_affair(
    api_url: str, sid: str, sender: str, words: str
) -> None:
    with with_service(api_url, sid) as gateway:
        (outcome,) = gateway.send(delivery("hello", sender=sender))
    assert outcome.result is Result.UNAVAILABLE
    assert words in outcome.reason


def test_a_late_opt_out_ends_the_pair_and_no_other(
    api_url: str, simulator: TwilioSimulator
) -> None:
    """A phone says STOP; what is sent to it afterwards is refused, and both ends of the pair are known."""
    with live(account(api_url=api_url)) as gateway:
        simulator.webhook_url = f"{gateway.url}/sms/twilio"
        phone_says(simulator, "STOP")
        (consent,) = gateway.brought(OptOutChange)
        (refused,) = gateway.send(delivery("are you there"))
        (other,) = gateway.send(delivery("and you", to="+15550003333"))
        phone_says(simulator, "START")
        (again,) = gateway.send(delivery("welcome back"))
    assert isinstance(consent, OptOutChange)
    assert (consent.sender.value, consent.recipient.value) == (PHONE, OURS)
    assert (refused.result, refused.opted_out) == (Result.REJECTED, True)
    assert other.result is again.result is Result.SENT


def test_the_check_says_what_to_enter_at_twilio(api_url: str) -> None:
    used = account(api_url=api_url)
    finding = check(used, "https://gateway.example/")
    assert "https://gateway.example/sms/twilio#rc=3&rp=all" in finding
    assert "fallback" in finding
    own = account(api_url=api_url, webhook_url="https://hooks.example/in", connection_overrides="")
    assert " https://hooks.example/in " in check(own, "https://gateway.example")


@pytest.mark.parametrize("public_url", ["", "http://localhost:8000", "https://my_host.example"])
def test_where_twilio_cannot_call_us_texts_leave_without_a_callback(
    api_url: str, simulator: TwilioSimulator, public_url: str
) -> None:
    used = account(api_url=api_url)
    before = len(simulator.outgoing_texts())
    with live(used, public_url) as gateway:
        gateway.send(delivery("hello"))
    assert len(simulator.outgoing_texts()) == before + 1
    assert "SATBRIDGE_PUBLIC_URL" in check(used, public_url)
