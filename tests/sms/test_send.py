"""The sender against the simulated Twilio over real sockets: the table of outcomes, long texts, uncertain attempts."""

import asyncio
import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.types import Receive, Scope, Send

from messaging.errors import ConfigurationError, Unavailable
from messaging.message import Delivery, Outcome, Result
from messaging.numbered import split
from messaging.simulator.faults import Faults
from messaging.simulator.serving import Serving
from messaging.simulator.twilio import TwilioSimulator
from messaging.simulator.twilio_api import Answer
from messaging.sms.provider import OutgoingText
from messaging.sms.send import SmsSender, utf16_units
from tests.closed_port import closed_port
from tests.crowd import Crowd
from tests.eventually import eventually
from tests.sms.twilio_gateway import OURS, PHONE, SID, TOKEN, account, delivery

SECRET = "the-secret-in-the-text"
FRIEND = "+15550003333"


class Stage:
    """One server for all tests here; each test has a simulator of its own behind it."""

    def __init__(self) -> None:
        self.simulator = TwilioSimulator(SID, TOKEN)
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.simulator.app(scope, receive, send)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    stage = Stage()
    with Serving(stage) as served:
        stage.url = served.url
        yield stage


@pytest.fixture
def twilio(stage: Stage) -> TwilioSimulator:
    stage.simulator = TwilioSimulator(SID, TOKEN)
    return stage.simulator


@pytest.fixture
def api_url(stage: Stage, twilio: TwilioSimulator) -> str:
    return stage.url


@pytest.fixture
def sender(api_url: str) -> Iterator[SmsSender]:
    used = SmsSender(account(api_url=f"{api_url}/"))
    yield used
    used.close()


def send(sender: SmsSender, *deliveries: Delivery) -> list[Outcome]:
    """Process one batch and return the outcomes, in the order of the deliveries that have one."""
    found = asyncio.run(sender.process(deliveries))
    assert len(found) == len(deliveries)
    return [outcome for entry in found if isinstance(entry, list) for outcome in entry]


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
    found = asyncio.run(sender.process(batch))
    assert [isinstance(e, list) and len(e) for e in found] == [1, 0, 1]
    assert sorted(text.body for text in twilio.sent()) == ["a", "c"]


def test_texts_to_one_phone_keep_their_order(sender: SmsSender, twilio: TwilioSimulator) -> None:
    batch = [delivery(str(n), to=(PHONE, FRIEND)[n % 2], id=n) for n in range(20)]
    outcomes = send(sender, *batch)
    assert [o.delivery_id for o in outcomes] == list(range(20))
    to_phone = [int(text.body) for text in twilio.sent() if text.recipient == PHONE]
    assert to_phone == list(range(0, 20, 2))


@pytest.mark.parametrize(
    ("code", "result", "words"),
    [
        (21211, Result.REJECTED, "not a valid phone number"),
        (21265, Result.REJECTED, "short code"),
        (21408, Result.REJECTED, "country"),
        (21610, Result.REJECTED, "STOP"),
        (21612, Result.REJECTED, "no route"),
        (21614, Result.REJECTED, "mobile"),
        (21617, Result.REJECTED, "too long"),
        (21619, Result.REJECTED, "empty"),
        (21635, Result.REJECTED, "landline"),
        (20003, Result.UNAVAILABLE, "account"),
        (20404, Result.UNAVAILABLE, "account"),
        (21212, Result.UNAVAILABLE, "sending number"),
        (21606, Result.UNAVAILABLE, "sending number"),
        (21608, Result.UNAVAILABLE, "trial"),
        (20429, Result.UNAVAILABLE, "fewer requests"),
        (21611, Result.UNAVAILABLE, "waiting"),
        (20500, Result.UNCERTAIN, "may have taken"),
    ],
)
def test_every_fixture_number_gives_its_outcome(
    sender: SmsSender, code: int, result: Result, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    (outcome,) = send(sender, delivery(SECRET, to=f"+150055{code}"))
    assert (outcome.result, outcome.parts_sent, outcome.network_id) == (result, 0, "")
    assert words in outcome.reason
    assert outcome.opted_out is (code == 21610)
    assert SECRET not in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    ("code", "result"),
    [
        *((code, Result.REJECTED) for code in (30004, 30005, 30006, 30007, 30036, 30450)),
        *((code, Result.UNAVAILABLE) for code in (30001, 30002, 30003, 30008, 30032, 30034)),
        (12345, Result.UNAVAILABLE),
    ],
)
def test_codes_that_need_a_switch_give_their_outcome(
    sender: SmsSender, twilio: TwilioSimulator, code: int, result: Result
) -> None:
    twilio.answer_next(Answer(code=code))
    assert send(sender, delivery())[0].result is result


def test_a_refusal_of_the_account_tells_the_operator_which_setting_to_look_at(
    api_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    used = SmsSender(account(api_url=api_url, auth_token="wrong-and-secret"))
    (outcome,) = send(used, delivery())
    used.close()
    assert outcome.result is Result.UNAVAILABLE
    assert outcome.retry_after_seconds
    assert "SATBRIDGE_TWILIO_AUTH_TOKEN" in caplog.text
    assert "wrong-and-secret" not in caplog.text + repr(outcome)


@pytest.mark.parametrize(
    ("faults", "result", "taken"),
    [
        (Faults(error_rate=1), Result.UNCERTAIN, 0),
        (Faults(error_rate=1, error_status=500), Result.UNCERTAIN, 0),
        (Faults(error_rate=1, error_status=418), Result.UNAVAILABLE, 0),
        (Faults(error_rate=1, error_status=404), Result.UNAVAILABLE, 0),
        (Faults(requests_per_second=0.001, retry_after_seconds=9), Result.UNAVAILABLE, 0),
        (Faults(refuse_rate=1), Result.UNCERTAIN, 0),
        (Faults(hang_before_rate=1), Result.UNCERTAIN, 0),
        (Faults(hang_after_rate=1), Result.UNCERTAIN, 1),
        (Faults(garbage_rate=1), Result.UNCERTAIN, 1),
        (Faults(latency_seconds=0.1), Result.SENT, 1),
    ],
    ids=[
        "503",
        "500",
        "418",
        "404",
        "429",
        "dropped",
        "hang-before",
        "hang-after",
        "garbage",
        "slow",
    ],
)
def test_outcomes_on_a_bad_network(
    api_url: str,
    twilio: TwilioSimulator,
    faults: Faults,
    result: Result,
    taken: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    twilio.faults = faults
    used = SmsSender(account(api_url=api_url, timeout_seconds=3))
    (outcome,) = send(used, delivery(SECRET))
    used.close()
    assert outcome.result is result
    assert len(twilio.sent()) == taken
    if faults.requests_per_second:
        assert outcome.retry_after_seconds == 9
    assert SECRET not in caplog.text
    assert TOKEN not in caplog.text


def test_a_problem_in_the_newer_form_of_errors_is_understood(
    sender: SmsSender, twilio: TwilioSimulator
) -> None:
    twilio.answer_next(Answer(code=21610, status=400, as_problem=True))
    assert send(sender, delivery())[0].result is Result.REJECTED


def test_a_refused_connection_is_unavailable() -> None:
    with closed_port() as url:
        used = SmsSender(account(api_url=url))
        (outcome,) = send(used, delivery())
        used.close()
    assert outcome.result is Result.UNAVAILABLE


def test_a_send_that_outlives_its_lease_is_uncertain(
    sender: SmsSender, twilio: TwilioSimulator
) -> None:
    twilio.faults = Faults(latency_seconds=2)
    (outcome,) = send(sender, delivery(lease_seconds=1.0))
    assert outcome.result is Result.UNCERTAIN


@pytest.mark.parametrize("text", ["", " \n "])
def test_an_empty_text_is_rejected_without_asking(
    sender: SmsSender, twilio: TwilioSimulator, text: str
) -> None:
    assert send(sender, delivery(text))[0].result is Result.REJECTED
    assert twilio.counts().get("send requests") is None


def test_a_text_that_no_encoding_can_carry_is_sent_as_well_as_it_can_be(
    sender: SmsSender, twilio: TwilioSimulator
) -> None:
    assert send(sender, delivery("a\ud800b"))[0].result is Result.SENT
    assert twilio.sent()[0].body == "a?b"


LONG = "All is well on board, the wind is fair. " * 100
PARTS = split(LONG.strip(), utf16_units, 1600, 10)


def test_a_long_text_goes_in_numbered_parts(sender: SmsSender, twilio: TwilioSimulator) -> None:
    (outcome,) = send(sender, delivery(LONG))
    texts = twilio.sent()
    assert [text.body.strip() for text in texts] == [part.strip() for part in PARTS]
    assert texts[0].body.startswith("1/3 ")
    assert outcome.network_id == ",".join(text.sid for text in texts)
    assert (outcome.result, outcome.parts_sent) == (Result.SENT, 3)


def test_a_long_text_goes_on_where_it_stopped(sender: SmsSender, twilio: TwilioSimulator) -> None:
    (first,) = send(sender, delivery(LONG, parts_sent=1))
    assert [text.body[:3] for text in twilio.sent()] == ["2/3", "3/3"]
    assert (first.result, first.parts_sent) == (Result.SENT, 3)
    assert send(sender, delivery(LONG, parts_sent=3))[0].result is Result.SENT
    assert len(twilio.sent()) == 2


def test_a_failure_between_parts_reports_how_far_it_came(
    api_url: str, twilio: TwilioSimulator
) -> None:
    # The next part is not begun when less than its time-out is left.
    used = SmsSender(account(api_url=api_url, timeout_seconds=30))
    (outcome,) = send(used, delivery(LONG, lease_seconds=30.0))
    used.close()
    (first,) = twilio.sent()
    assert (outcome.result, outcome.parts_sent) == (Result.UNAVAILABLE, 1)
    assert outcome.network_id == first.sid


def test_an_uncertain_attempt_that_went_through_is_not_repeated(
    sender: SmsSender, twilio: TwilioSimulator
) -> None:
    twilio.answer_next(Answer(status=500, taken=True))
    assert send(sender, delivery())[0].result is Result.UNCERTAIN
    (outcome,) = send(sender, delivery(attempt=2, uncertain=True))
    (text,) = twilio.sent()
    assert (outcome.result, outcome.network_id) == (Result.SENT, text.sid)


def test_an_uncertain_attempt_that_did_not_go_through_is_repeated(
    sender: SmsSender, twilio: TwilioSimulator
) -> None:
    twilio.answer_next(Answer(status=500))
    assert send(sender, delivery())[0].result is Result.UNCERTAIN
    (outcome,) = send(sender, delivery(attempt=2, uncertain=True))
    assert outcome.result is Result.SENT
    assert len(twilio.sent()) == 1


def test_only_the_same_text_between_the_same_numbers_counts_as_sent(
    sender: SmsSender, twilio: TwilioSimulator
) -> None:
    others = [delivery("other"), delivery(to=FRIEND, id=2), delivery(sender=FRIEND, id=3)]
    send(sender, *others)
    assert send(sender, delivery(id=4, uncertain=True))[0].result is Result.SENT
    assert len(twilio.sent()) == 4


def test_an_equal_text_that_this_sender_sent_for_another_message_does_not_count(
    sender: SmsSender, twilio: TwilioSimulator
) -> None:
    send(sender, delivery("ok", id=1))
    (outcome,) = send(sender, delivery("ok", id=2, uncertain=True))
    assert outcome.network_id == twilio.sent()[1].sid


def test_a_text_that_failed_at_twilio_does_not_count_as_sent(
    sender: SmsSender, twilio: TwilioSimulator
) -> None:
    unreachable = "+15005530003"
    send(sender, delivery(to=unreachable))
    assert send(sender, delivery(to=unreachable, uncertain=True))[0].result is Result.SENT
    assert len(twilio.sent()) == 2


def test_an_uncertain_long_text_is_completed(
    sender: SmsSender, api_url: str, twilio: TwilioSimulator
) -> None:
    # Of this one's lease too little is left after the first part.
    other = SmsSender(account(api_url=api_url, timeout_seconds=30))
    send(other, delivery(LONG, lease_seconds=30.0))
    other.close()
    assert len(twilio.sent()) == 1
    (outcome,) = send(sender, delivery(LONG, attempt=2, uncertain=True))
    texts = twilio.sent()
    assert sorted(text.body[:3] for text in texts) == ["1/3", "2/3", "3/3"]
    assert outcome.network_id == ",".join(text.sid for text in texts)


def test_it_stays_uncertain_while_twilio_cannot_be_asked(
    sender: SmsSender, twilio: TwilioSimulator
) -> None:
    for faults in (
        Faults(error_rate=1),
        Faults(error_rate=1, error_status=401),
        Faults(garbage_rate=1),
    ):
        twilio.faults = faults
        assert send(sender, delivery(uncertain=True))[0].result is Result.UNCERTAIN
    assert twilio.sent() == []


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
            task = asyncio.create_task(used.process(batch))
            # If the sends blocked the event loop, nobody would ever let them go.
            await eventually(lambda: crowd.inside == 8)
            await asyncio.sleep(0.1)
            crowd.let_go()
            await task

        asyncio.run(send_while_looking_on())
        used.close()
    assert crowd.most == 8
    assert len(twilio.sent()) == 16


def test_many_threads_share_one_provider(api_url: str, twilio: TwilioSimulator) -> None:
    provider = account(api_url=api_url).connect()
    with ThreadPoolExecutor(8) as threads:
        sids = list(
            threads.map(lambda n: provider.send(OutgoingText(OURS, PHONE, str(n), "")), range(40))
        )
    provider.close()
    assert len(set(sids)) == len(twilio.sent()) == 40
