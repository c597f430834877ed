"""The table of outcomes: what becomes of a text for each answer of Twilio, and on a bad network."""

import logging

import pytest

from messaging.model.message import Result
from messaging.simulator.shared.faults import Faults
from messaging.simulator.twilio.api import Answer
from messaging.simulator.twilio.server import TwilioSimulator
from tests.support.closed_port import closed_port
from tests.support.sms.sending.stage import SECRET
from tests.support.sms.sync_sender import SyncSender
from tests.support.sms.twilio_gateway import TOKEN, account, delivery


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
    sender: SyncSender, code: int, result: Result, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    (outcome,) = sender.send(delivery(SECRET, to=f"+150055{code}"))
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
    sender: SyncSender, twilio: TwilioSimulator, code: int, result: Result
) -> None:
    twilio.answer_next(Answer(code=code))
    assert sender.send(delivery())[0].result is result


def test_a_refusal_of_the_account_tells_the_operator_which_setting_to_look_at(
    api_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    used = SyncSender(account(api_url=api_url, auth_token="wrong-and-secret"))
    (outcome,) = used.send(delivery())
    used.close()
    assert outcome.result is Result.UNAVAILABLE
    assert outcome.retry_after_seconds
    assert "SATBRIDGE_TWILIO_AUTH_TOKEN" in outcome.action
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
    used = SyncSender(account(api_url=api_url, timeout_seconds=3))
    (outcome,) = used.send(delivery(SECRET))
    used.close()
    assert outcome.result is result
    assert len(twilio.outgoing_texts()) == taken
    if faults.requests_per_second:
        assert outcome.retry_after_seconds == 9
    assert SECRET not in caplog.text
    assert TOKEN not in caplog.text


def test_a_problem_in_the_newer_form_of_errors_is_understood(
    sender: SyncSender, twilio: TwilioSimulator
) -> None:
    twilio.answer_next(Answer(code=21610, status=400, as_problem=True))
    assert sender.send(delivery())[0].result is Result.REJECTED


def test_a_refused_connection_is_unavailable() -> None:
    with closed_port() as url:
        used = SyncSender(account(api_url=url))
        (outcome,) = used.send(delivery())
        used.close()
    assert outcome.result is Result.UNAVAILABLE


def test_nothing_is_begun_that_the_lease_would_cut_off(
    sender: SyncSender, twilio: TwilioSimulator
) -> None:
    (outcome,) = sender.send(delivery(lease_seconds=1.0))
    assert outcome.result is Result.NOT_BEGUN
    assert twilio.outgoing_texts() == []


@pytest.mark.parametrize("text", ["", " \n "])
def test_an_empty_text_is_rejected_without_asking(
    sender: SyncSender, twilio: TwilioSimulator, text: str
) -> None:
    assert sender.send(delivery(text))[0].result is Result.REJECTED
    assert twilio.counts().get("send requests") is None
