"""The mail sink, seen by Python's own mail client."""

import smtplib
import socket
import threading
import time
from contextlib import suppress
from email.message import EmailMessage

import pytest

from messaging.simulator.mail.server import (
    STOP_SECONDS,
    AccessRules,
    MailFaults,
    MailSink,
    ReceivedMail,
    serve,
)
from tests.support.eventually import wait_until


def letter(subject: str = "Hello") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "boop@example.org", "ann@x.example", subject
    mail.set_content("Grüße\n.\n..")
    return mail


def client(sink: MailSink) -> smtplib.SMTP:
    return smtplib.SMTP(str(sink.host), sink.port, timeout=30)


def test_a_mail_is_kept_and_told_about() -> None:
    told: list[ReceivedMail] = []
    with MailSink(on_mail=told.append) as sink:
        with client(sink) as smtp:
            smtp.send_message(letter())
        (mail,) = sink.wait_for(1)
        assert told == [mail]
        assert (mail.sender, mail.recipients) == ("boop@example.org", ("ann@x.example",))
        assert mail.message["Subject"] == "Hello"
        assert mail.message.get_content().replace("\r\n", "\n") == "Grüße\n.\n..\n"
        assert (mail.tls, mail.user) == (False, None)


def test_waiting_for_mail_that_does_not_come_ends() -> None:
    with MailSink() as sink, pytest.raises(TimeoutError, match="0 of 1"):
        sink.wait_for(1, seconds=0.05)


def test_a_log_in_is_needed_when_there_is_one() -> None:
    with MailSink(access_rules=AccessRules(user="boop", password="secret")) as sink:
        with client(sink) as smtp:
            with pytest.raises(smtplib.SMTPSenderRefused, match="530"):
                smtp.send_message(letter())
            with pytest.raises(smtplib.SMTPAuthenticationError):
                smtp.login("boop", "wrong")
            smtp.login("boop", "secret")
            smtp.send_message(letter())
        assert sink.received[0].user == "boop"


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        (MailFaults(error_rate=1, error_status=451, error_at="DATA"), 451),
        (MailFaults(error_rate=1, error_status=552, error_at="DATA"), 552),
        (MailFaults(error_rate=1, error_at="DATA"), 451),
    ],
)
def test_mails_are_refused_as_told(faults: MailFaults, code: int) -> None:
    with MailSink(faults=faults) as sink, client(sink) as smtp:
        with pytest.raises(smtplib.SMTPDataError) as caught:
            smtp.send_message(letter())
        assert caught.value.smtp_code == code
        assert sink.received == []
        sink.faults = MailFaults()
        smtp.send_message(letter())
        assert len(sink.received) == 1


def test_recipients_and_senders_are_refused_as_told() -> None:
    rules = AccessRules(answers={"ann@x.example": "550 5.1.1 gone"})
    with MailSink(access_rules=rules) as sink, client(sink) as smtp:
        with pytest.raises(smtplib.SMTPRecipientsRefused, match="gone"):
            smtp.send_message(letter())
        sink.faults = MailFaults(error_rate=1, error_at="MAIL")
        with pytest.raises(smtplib.SMTPSenderRefused):
            smtp.send_message(letter())


def test_a_connection_is_refused_as_told() -> None:
    gone = (smtplib.SMTPServerDisconnected, ConnectionError)
    with MailSink(faults=MailFaults(refuse_rate=1)) as sink, pytest.raises(gone):
        client(sink)


@pytest.mark.parametrize(
    ("fault", "kept"),
    [({"hang_before_rate": 1}, 0), ({"hang_after_rate": 1}, 1), ({"drop_after_rate": 1}, 1)],
)
def test_the_answer_to_a_mail_is_withheld_as_told(fault: dict[str, float], kept: int) -> None:
    faults = MailFaults(hang_seconds=30, **fault)
    with MailSink(faults=faults) as sink:
        smtp = smtplib.SMTP(str(sink.host), sink.port, timeout=1.5)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.send_message(letter())
        smtp.close()
        assert len(sink.received) == kept


def test_more_mails_than_the_rate_are_put_off() -> None:
    with MailSink(faults=MailFaults(requests_per_second=1)) as sink, client(sink) as smtp:
        sink.dice.now = lambda: 0.0
        smtp.send_message(letter())
        with pytest.raises(smtplib.SMTPDataError, match="451"):
            smtp.send_message(letter())


def test_a_taken_port_is_an_error() -> None:
    with MailSink() as sink, pytest.raises(OSError, match="in use"):
        MailSink(str(sink.host), sink.port)


def test_the_sink_ends_with_connections_open() -> None:
    with MailSink() as sink:
        smtp = client(sink)
        begin = time.monotonic()
    assert time.monotonic() - begin < STOP_SECONDS * 0.8
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((str(sink.host), sink.port))
    smtp.close()


def test_serving_calls_back_for_each_mail() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    subjects: list[str] = []
    arrived = threading.Event()

    def tell(mail: ReceivedMail) -> None:
        subjects.append(str(mail.message["Subject"]))
        arrived.set()

    stop = threading.Event()
    serving = threading.Thread(target=serve, args=("127.0.0.1", port, tell, None, stop))
    serving.start()

    def connected() -> smtplib.SMTP | None:
        with suppress(OSError):
            return smtplib.SMTP("127.0.0.1", port, timeout=30)
        return None

    with wait_until(connected) as smtp:
        smtp.send_message(letter("served"))
    assert arrived.wait(30)
    stop.set()
    serving.join(30)
    assert not serving.is_alive()
    assert subjects == ["served"]
