"""After an uncertain attempt Twilio is asked whether it has the text, and nothing is sent twice knowingly."""

from messaging.model.message import Result
from messaging.simulator.shared.faults import Faults
from messaging.simulator.twilio.api import Answer
from messaging.simulator.twilio.server import TwilioSimulator
from tests.support.sms.sending.stage import FRIEND, LONG
from tests.support.sms.sync_sender import SyncSender
from tests.support.sms.twilio_gateway import account, delivery


def test_an_uncertain_attempt_that_went_through_is_not_repeated(
    sender: SyncSender, twilio: TwilioSimulator
) -> None:
    twilio.answer_next(Answer(status=500, taken=True))
    assert sender.send(delivery())[0].result is Result.UNCERTAIN
    (outcome,) = sender.send(delivery(attempt=2, uncertain=True))
    (text,) = twilio.outgoing_texts()
    assert (outcome.result, outcome.network_id) == (Result.SENT, text.sid)


def test_an_uncertain_attempt_that_did_not_go_through_is_repeated(
    sender: SyncSender, twilio: TwilioSimulator
) -> None:
    twilio.answer_next(Answer(status=500))
    assert sender.send(delivery())[0].result is Result.UNCERTAIN
    (outcome,) = sender.send(delivery(attempt=2, uncertain=True))
    assert outcome.result is Result.SENT
    assert len(twilio.outgoing_texts()) == 1


def test_only_the_same_text_between_the_same_numbers_counts_as_sent(
    sender: SyncSender, twilio: TwilioSimulator
) -> None:
    others = [delivery("other"), delivery(to=FRIEND, id=2), delivery(sender=FRIEND, id=3)]
    sender.send(*others)
    assert sender.send(delivery(id=4, uncertain=True))[0].result is Result.SENT
    assert len(twilio.outgoing_texts()) == 4


def test_an_equal_text_that_this_sender_sent_for_another_message_does_not_count(
    sender: SyncSender, twilio: TwilioSimulator
) -> None:
    sender.send(delivery("ok", id=1))
    (outcome,) = sender.send(delivery("ok", id=2, uncertain=True))
    assert outcome.network_id == twilio.outgoing_texts()[1].sid


def test_a_text_that_failed_at_twilio_does_not_count_as_sent(
    sender: SyncSender, twilio: TwilioSimulator
) -> None:
    unreachable = "+15005530003"
    sender.send(delivery(to=unreachable))
    assert sender.send(delivery(to=unreachable, uncertain=True))[0].result is Result.SENT
    assert len(twilio.outgoing_texts()) == 2


def test_an_uncertain_long_text_is_completed(
    sender: SyncSender, api_url: str, twilio: TwilioSimulator
) -> None:
    # Of this one's lease too little is left after the first part.
    other = SyncSender(account(api_url=api_url, timeout_seconds=30))
    twilio.faults = Faults(latency_seconds=1.5)
    other.send(delivery(LONG, lease_seconds=31.0))
    other.close()
    twilio.faults = Faults()
    assert len(twilio.outgoing_texts()) == 1
    (outcome,) = sender.send(delivery(LONG, attempt=2, uncertain=True))
    texts = twilio.outgoing_texts()
    assert sorted(text.body[:3] for text in texts) == ["1/3", "2/3", "3/3"]
    assert outcome.network_id == ",".join(text.sid for text in texts)


def test_it_stays_uncertain_while_twilio_cannot_be_asked(
    sender: SyncSender, twilio: TwilioSimulator
) -> None:
    for faults in (
        Faults(error_rate=1),
        Faults(error_rate=1, error_status=401),
        Faults(garbage_rate=1),
    ):
        twilio.faults = faults
        assert sender.send(delivery(uncertain=True))[0].result is Result.UNCERTAIN
    assert twilio.outgoing_texts() == []
