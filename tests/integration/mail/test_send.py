"""Batches of mails handed to a relay that behaves, misbehaves, or is slow."""

import time
from typing import Any

import pytest

from messaging.errors import Unavailable
from messaging.mail.compose import OutgoingMail
from messaging.mail.send import RelaySession
from messaging.model.message import Result
from messaging.simulator.mail.server import AccessRules, MailFaults, MailSink
from tests.support.mail.outgoing import HELLO, delivery, relay_at, results, scripted, send


def test_a_batch_goes_over_one_connection() -> None:
    with MailSink() as sink:
        outcomes = send(relay_at(sink.url), *(delivery(n) for n in range(1, 11)))
        assert results(outcomes) == [Result.SENT] * 10
        assert [outcome.delivery_id for outcome in outcomes] == list(range(1, 11))
        assert outcomes[2].network_id == "250 2.0.0 ok, queued as 3"
        assert sink.connections == 1
        first = sink.received[0]
        assert first.sender == "boop@example.org"
        assert first.recipients == ("ann@friends.example",)
        assert first.message["Message-ID"] == f"<{1:032x}.1@example.org>"
        assert first.message.get_content().replace("\r\n", "\n") == "text 1\n.\n..dots\n"


@pytest.mark.parametrize(
    ("answer", "result", "reason"),
    [
        (
            "550 5.1.1 no such\x1b user",
            Result.REJECTED,
            "the mail server refused it: 550 5.1.1 no such user",
        ),
        ("553 " + "x" * 400, Result.REJECTED, "the mail server refused it: 553 xxx"),
        ("450 4.2.0 greylisted", Result.UNAVAILABLE, "the mail server said: 450 4.2.0 greylisted"),
        ("452 4.5.3 busy", Result.UNAVAILABLE, "the mail server said: 452"),
        ("421 4.3.2 restarting", Result.UNAVAILABLE, "the mail server said: 421"),
        ("530 5.7.0 log in first", Result.UNAVAILABLE, "the mail server said: 530"),
        ("what a day", Result.UNAVAILABLE, "the mail server answered something that is not SMTP"),
        ("354 go on", Result.UNAVAILABLE, "the mail server said: 354"),
    ],
)
def test_each_recipient_has_its_own_answer(answer: str, result: Result, reason: str) -> None:
    rules = AccessRules(answers={"bad@friends.example": answer})
    with MailSink(access_rules=rules) as sink:
        bad = delivery(2, "bad@friends.example")
        outcomes = send(relay_at(sink.url), delivery(1), bad, delivery(3))
        assert results(outcomes) == [Result.SENT, result, Result.SENT]
        assert outcomes[1].reason.startswith(reason)
        assert len(outcomes[1].reason) < 250
        assert len(sink.received) == 2


@pytest.mark.parametrize("place", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("status", "result"),
    [(554, Result.REJECTED), (451, Result.UNAVAILABLE), (503, Result.UNAVAILABLE)],
)
def test_a_refusal_counts_wherever_it_comes(place: Any, status: int, result: Result) -> None:
    if place == "MAIL":
        # No recipient has been named, so it is not the recipient's fault.
        result = Result.UNAVAILABLE
    faults = MailFaults(error_rate=1, error_status=status, error_at=place)
    with MailSink(faults=faults) as sink:
        relay = relay_at(sink.url)
        assert results(send(relay, delivery(1), delivery(2))) == [result, result]
        assert sink.connections == 1
        sink.faults = MailFaults()
        assert results(send(relay, delivery(1))) == [Result.SENT]


@pytest.mark.parametrize(
    "fault",
    [
        {"drop_after_rate": 1},
        {"garbage_rate": 1},
        {"hang_after_rate": 1, "hang_seconds": 30},
    ],
)
def test_without_a_clear_answer_to_a_written_mail_the_outcome_is_unknown(
    fault: dict[str, float],
) -> None:
    with MailSink(faults=MailFaults(**fault)) as sink:
        relay = relay_at(sink.url, timeout_seconds=3)
        outcomes = send(relay, delivery(1), delivery(2))
        assert results(outcomes) == [Result.UNCERTAIN] * 2
        assert "written" in outcomes[0].reason
        assert (len(sink.received), sink.connections) == (2, 2)


def test_an_address_that_is_none_needs_no_relay() -> None:
    relay = relay_at("smtp://127.0.0.1:1")
    (outcome,) = send(relay, delivery(recipient="Ann at home"))
    assert outcome.result is Result.REJECTED


def test_an_international_address_needs_a_relay_that_knows_them() -> None:
    with MailSink() as sink:
        assert (
            results(send(relay_at(sink.url), delivery(1, "änn@x.example"), delivery(2)))
            == [Result.SENT] * 2
        )
        assert sink.received[0].recipients == ("änn@x.example",)
        assert sink.received[0].message["To"] == "änn@x.example"
    with MailSink(access_rules=AccessRules(smtputf8=False)) as sink:
        outcomes = send(relay_at(sink.url), delivery(1, "änn@x.example"), delivery(2))
        assert results(outcomes) == [Result.REJECTED, Result.SENT]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ((b"554 go away\r\n",), "the mail relay said: 554 go away"),
        ((b"HTTP/1.1 400 Bad Request\r\n",), "the mail relay said: -1"),
        ((b"220 hi\r\n", b"502 no\r\n", b"502 no\r\n"), "the mail relay said: 502"),
        ((b"x" * 20_000,), "the mail relay said: 500 Line too long"),
        ((*HELLO, b"421 too many\r\n"), "the mail server said: 421 too many"),
        ((*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"250 no\r\n"), "the mail server said: 250 no"),
    ],
)
def test_a_relay_that_answers_oddly_is_unavailable(script: tuple[bytes, ...], reason: str) -> None:
    with scripted(*script) as url:
        (outcome,) = send(relay_at(url), delivery())
        assert outcome.result is Result.UNAVAILABLE
        assert outcome.reason.startswith(reason)


def test_a_relay_that_closes_between_two_mails_is_asked_again() -> None:
    one_mail = (*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 queued\r\n")
    with scripted(*one_mail) as url:
        outcomes = send(relay_at(url), delivery(1), delivery(2))
        assert results(outcomes) == [Result.SENT, Result.SENT]


def test_nothing_is_sent_when_the_lease_is_over_or_nearly() -> None:
    with MailSink() as sink:
        relay = relay_at(sink.url, timeout_seconds=5)
        late, soon, fine = delivery(1, seconds=-1), delivery(2, seconds=4), delivery(3)
        assert results(send(relay, late, soon, fine)) == [Result.NOT_BEGUN, Result.SENT]
        assert len(sink.received) == 1


def test_a_slow_relay_does_not_get_a_mail_that_it_cannot_answer_within_the_lease() -> None:
    with scripted(*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", pause_seconds=0.04) as url:
        (outcome,) = send(relay_at(url, timeout_seconds=5), delivery(seconds=6))
        assert outcome.result is Result.UNAVAILABLE
        assert "too slow" in outcome.reason


@pytest.mark.parametrize(
    ("last", "result"),
    [
        (b"252 2.0.0 taken\r\n", Result.SENT),
        (b"354 go on\r\n", Result.UNCERTAIN),
        (b"452 4.3.1 full\r\n", Result.UNAVAILABLE),
        (b"554 5.7.1 spam\r\n", Result.REJECTED),
    ],
)
def test_the_first_digit_of_the_last_answer_decides(last: bytes, result: Result) -> None:
    with scripted(*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", last) as url:
        assert results(send(relay_at(url, timeout_seconds=5), delivery())) == [result]


@pytest.mark.parametrize("late", [False, True])
def test_no_mail_is_written_after_a_suspend(late: bool) -> None:
    mail = OutgoingMail("boop@example.org", "ann@friends.example", b"hello\r\n", False)
    with MailSink() as sink:
        session = RelaySession(relay_at(sink.url), "example.org", wall_clock=lambda: 1000.0)
        until, write_until = time.monotonic() + 60, 999.0 if late else 1001.0
        if late:
            with pytest.raises(Unavailable, match="stood still"):
                session.submit(mail, until, write_until)
            assert not session.is_usable
        else:
            session.submit(mail, until, write_until)
            session.close()
        assert len(sink.received) == (0 if late else 1)
