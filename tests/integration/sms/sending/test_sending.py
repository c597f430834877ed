"""Texts leave at once and in order over real sockets; the probe costs nothing."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from messaging.errors import ConfigurationError, Unavailable
from messaging.model.message import Result
from messaging.simulator.shared.serving import Serving
from messaging.simulator.twilio.server import TwilioSimulator
from messaging.sms.account import OutgoingText
from messaging.sms.sender import SmsSender
from tests.support.closed_port import closed_port
from tests.support.concurrent_requests import Crowd
from tests.support.eventually import eventually
from tests.support.send_deliveries import hand_over
from tests.support.sms.sending.stage import FRIEND, send
from tests.support.sms.twilio_gateway import OURS, PHONE, account, delivery


def test_a_text_is_sent_with_its_numbers_and_comes_back_with_its_sid(
    sender: SmsSender, twilio: TwilioSimulator
) -> None:
    (outcome,) = send(sender, delivery("grüße 👋", subject="Weather"))
    (text,) = twilio.sent()
    assert (text.sender, text.recipient, text.body) == (OURS, PHONE, "Weather\ngrüße 👋")
    assert (outcome.result, outcome.network_id, outcome.parts_sent) == (Result.SENT, text.sid, 1)


def test_a_batch_has_one_entry_for_each_delivery_and_none_for_a_lease_that_has_passed(
    sender: SmsSender, twilio: TwilioSimulator
) -> None:
    batch = [delivery("a"), delivery("b", lease_seconds=-1.0), delivery("c", to=FRIEND)]
    found = asyncio.run(hand_over(sender, *batch))
    assert [len(outcomes) for outcomes in found] == [1, 0, 1]
    assert sorted(text.body for text in twilio.sent()) == ["a", "c"]


def test_texts_to_one_phone_keep_their_order(sender: SmsSender, twilio: TwilioSimulator) -> None:
    batch = [delivery(str(n), to=(PHONE, FRIEND)[n % 2], id=n) for n in range(20)]
    outcomes = send(sender, *batch)
    assert [o.delivery_id for o in outcomes] == list(range(20))
    to_phone = [int(text.body) for text in twilio.sent() if text.recipient == PHONE]
    assert to_phone == list(range(0, 20, 2))


def test_a_text_that_no_encoding_can_carry_is_sent_as_well_as_it_can_be(
    sender: SmsSender, twilio: TwilioSimulator
) -> None:
    assert send(sender, delivery("a\ud800b"))[0].result is Result.SENT
    assert twilio.sent()[0].body == "a?b"


def test_the_probe_of_the_account_costs_nothing_and_names_what_is_wrong(api_url: str) -> None:
    assert "active" in _probe(api_url)
    with pytest.raises(ConfigurationError, match="SATBRIDGE_TWILIO_AUTH_TOKEN"):
        _probe(api_url, auth_token="wrong")
    with pytest.raises(ConfigurationError, match="SATBRIDGE_TWILIO_ACCOUNT_SID"):
        _probe(f"{api_url}/elsewhere")
    with closed_port() as url, pytest.raises(Unavailable):
        _probe(url)


def _probe(api_url: str, **given: object) -> str:
    provider = account(api_url=api_url, **given).connect()
    try:
        return provider.check()
    finally:
        provider.close()


@pytest.fixture
def other_region() -> Iterator[None]:
    os.environ.update(TWILIO_EDGE="sydney", TWILIO_REGION="au1", TWILIO_AUTH_TOKEN="other")
    yield
    for name in ("TWILIO_EDGE", "TWILIO_REGION", "TWILIO_AUTH_TOKEN"):
        del os.environ[name]


@pytest.mark.usefixtures("other_region")
def test_twilios_own_environment_variables_do_not_matter(
    sender: SmsSender, twilio: TwilioSimulator
) -> None:
    assert send(sender, delivery())[0].result is Result.SENT
    assert len(twilio.sent()) == 1


def test_a_batch_is_sent_at_once_and_the_event_loop_stays_free(
    twilio: TwilioSimulator,
) -> None:
    batch = [delivery(to=f"+1555000{n:04}", id=n) for n in range(16)]
    crowd = Crowd(twilio.app)
    with Serving(crowd) as server:
        used = SmsSender(account(api_url=server.url, max_sends=8))

        async def send_while_looking_on() -> None:
            crowd.hold()
            task = asyncio.create_task(hand_over(used, *batch))
            # If the sends blocked the event loop, nobody would ever let them go.
            await eventually(lambda: crowd.inside == 8)
            await asyncio.sleep(0.1)
            crowd.let_go()
            await task

        asyncio.run(send_while_looking_on())
        used.close()
    assert crowd.most == 8
    assert len(twilio.sent()) == 16


def test_an_emergency_goes_before_what_its_sender_has_not_begun(twilio: TwilioSimulator) -> None:
    batch = [delivery(f"{n}", to=f"+1555000{n:04}", id=n) for n in range(5)]
    sos = delivery("sos", id=9, is_urgent=True)
    crowd = Crowd(twilio.app)
    with Serving(crowd) as server:
        used = SmsSender(account(api_url=server.url, max_sends=1))

        async def call_for_help_meanwhile() -> None:
            crowd.hold()
            task = asyncio.create_task(hand_over(used, *batch))
            await eventually(lambda: crowd.inside == 1)
            emergency = asyncio.create_task(hand_over(used, sos))
            await asyncio.sleep(0.1)
            crowd.let_go()
            await asyncio.gather(task, emergency)

        asyncio.run(call_for_help_meanwhile())
        used.close()
    assert crowd.most == 1
    assert [text.body for text in twilio.sent()] == ["0", "sos", "1", "2", "3", "4"]


def test_many_threads_share_one_provider(api_url: str, twilio: TwilioSimulator) -> None:
    provider = account(api_url=api_url).connect()
    with ThreadPoolExecutor(8) as threads:
        sids = list(
            threads.map(lambda n: provider.send(OutgoingText(OURS, PHONE, str(n), "")), range(40))
        )
    provider.close()
    assert len(set(sids)) == len(twilio.sent()) == 40
