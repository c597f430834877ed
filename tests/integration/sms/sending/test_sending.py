"""Texts leave at once and in order over real sockets; the probe costs nothing."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from messaging.errors import ConfigurationError, Unavailable
from messaging.model.message import Result
from messaging.simulator.shared.serving import Serving
from messaging.simulator.twilio.server import TwilioSimulator
from tests.support.closed_port import closed_port
from tests.support.concurrent_requests import Crowd
from tests.support.eventually import eventually
from tests.support.send_deliveries import hand_over
from tests.support.sms.sending.stage import FRIEND
from tests.support.sms.sync_sender import SyncSender, check
from tests.support.sms.twilio_gateway import OURS, PHONE, account, delivery


def test_a_text_is_sent_with_its_numbers_and_comes_back_with_its_sid(
    sender: SyncSender, twilio: TwilioSimulator
) -> None:
    (outcome,) = sender.send(delivery("grüße 👋", subject="Weather"))
    (text,) = twilio.outgoing_texts()
    assert (text.sender, text.recipient, text.body) == (OURS, PHONE, "Weather\ngrüße 👋")
    assert (outcome.result, outcome.network_id, outcome.parts_sent) == (Result.SENT, text.sid, 1)


def test_a_batch_has_one_entry_for_each_delivery_and_none_for_a_lease_that_has_passed(
    sender: SyncSender, twilio: TwilioSimulator
) -> None:
    batch = [
        delivery("a"),
        delivery("b", id=2, lease_seconds=-1.0),
        delivery("c", id=3, to=FRIEND),
    ]
    found = sender.run(hand_over(sender.operator, *batch))
    assert [len(outcomes) for outcomes in found] == [1, 0, 1]
    assert sorted(text.body for text in twilio.outgoing_texts()) == ["a", "c"]


def test_texts_to_one_phone_keep_their_order(sender: SyncSender, twilio: TwilioSimulator) -> None:
    batch = [delivery(str(n), to=(PHONE, FRIEND)[n % 2], id=n) for n in range(20)]
    outcomes = sender.send(*batch)
    assert [o.delivery_id for o in outcomes] == list(range(20))
    to_phone = [int(text.body) for text in twilio.outgoing_texts() if text.recipient == PHONE]
    assert to_phone == list(range(0, 20, 2))


def test_a_text_that_no_encoding_can_carry_is_sent_as_well_as_it_can_be(
    sender: SyncSender, twilio: TwilioSimulator
) -> None:
    assert sender.send(delivery("a\ud800b"))[0].result is Result.SENT
    assert twilio.outgoing_texts()[0].body == "a?b"


def test_the_probe_of_the_account_costs_nothing_and_names_what_is_wrong(api_url: str) -> None:
    assert "active; balance 100.00 USD" in check(account(api_url=api_url))
    low = check(account(api_url=api_url, low_balance=200))
    assert "balance 100.00 USD, LOW: less than SATBRIDGE_TWILIO_LOW_BALANCE (200)" in low
    with pytest.raises(ConfigurationError, match="SATBRIDGE_TWILIO_AUTH_TOKEN"):
        check(account(api_url=api_url, auth_token="wrong"))
    with pytest.raises(ConfigurationError, match="SATBRIDGE_TWILIO_ACCOUNT_SID"):
        check(account(api_url=f"{api_url}/elsewhere"))
    with closed_port() as url, pytest.raises(Unavailable):
        check(account(api_url=url))


@pytest.fixture
def other_region() -> Iterator[None]:
    os.environ.update(TWILIO_EDGE="sydney", TWILIO_REGION="au1", TWILIO_AUTH_TOKEN="other")
    yield
    for name in ("TWILIO_EDGE", "TWILIO_REGION", "TWILIO_AUTH_TOKEN"):
        del os.environ[name]


@pytest.mark.usefixtures("other_region")
def test_twilios_own_environment_variables_do_not_matter(
    sender: SyncSender, twilio: TwilioSimulator
) -> None:
    assert sender.send(delivery())[0].result is Result.SENT
    assert len(twilio.outgoing_texts()) == 1


def test_a_batch_is_sent_at_once_and_the_event_loop_stays_free(
    twilio: TwilioSimulator,
) -> None:
    batch = [delivery(to=f"+1555000{n:04}", id=n) for n in range(16)]
    crowd = Crowd(twilio.app)
    with Serving(crowd) as server:
        used = SyncSender(account(api_url=server.url, max_sends=8))

        async def send_while_looking_on() -> None:
            crowd.hold()
            task = asyncio.create_task(hand_over(used.operator, *batch))
            # If the sends blocked the event loop, this would never return.
            await eventually(lambda: crowd.inside == 8)
            await asyncio.sleep(0.1)
            crowd.let_go()
            await task

        used.run(send_while_looking_on())
        used.close()
    assert crowd.most == 8
    assert len(twilio.outgoing_texts()) == 16


def test_an_emergency_goes_before_what_its_sender_has_not_begun(twilio: TwilioSimulator) -> None:
    batch = [delivery(f"{n}", to=f"+1555000{n:04}", id=n) for n in range(5)]
    sos = delivery("sos", id=9, is_urgent=True)
    crowd = Crowd(twilio.app)
    with Serving(crowd) as server:
        used = SyncSender(account(api_url=server.url, max_sends=1))

        async def call_for_help_meanwhile() -> None:
            crowd.hold()
            task = asyncio.create_task(hand_over(used.operator, *batch))
            await eventually(lambda: crowd.inside == 1)
            emergency = asyncio.create_task(hand_over(used.operator, sos))
            await asyncio.sleep(0.1)
            crowd.let_go()
            await asyncio.gather(task, emergency)

        used.run(call_for_help_meanwhile())
        used.close()
    assert crowd.most == 1
    assert [text.body for text in twilio.outgoing_texts()] == ["0", "sos", "1", "2", "3", "4"]
