"""The way to the relay: TLS, log-in, and what is said when it does not work."""

import time
from pathlib import Path
from typing import Any

import pytest

from messaging.errors import ConfigurationError, Unavailable
from messaging.mail.relay_client import check_relay
from messaging.model.message import Result
from messaging.simulator.mail.server import AccessRules, MailFaults, MailSink
from tests.support.closed_port import closed_port
from tests.support.mail.certificates import make_certificate
from tests.support.mail.outgoing import delivery, only, relay_at, results, scripted, send


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
def test_tls_and_log_in_are_used_when_asked_for(mode: Any, tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    rules = AccessRules(
        tls=mode, certificate=files.certificate, key=files.key, user="us/er", password="p@ß"
    )
    with MailSink(access_rules=rules) as sink:
        relay = relay_at(sink.url, ca_file=files.certificate)
        assert results(send(relay, delivery())) == [Result.SENT]
        assert (sink.received[0].tls, sink.received[0].user) == (True, "us/er")
        assert "with TLS, logged in" in check_relay(relay)


def test_log_in_works_without_tls_too() -> None:
    with MailSink(access_rules=AccessRules(user="boop", password="secret")) as sink:
        assert results(send(relay_at(sink.url), delivery())) == [Result.SENT]
        assert sink.received[0].user == "boop"


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
def test_a_certificate_that_is_not_trusted_stops_everything(mode: Any, tmp_path: Path) -> None:
    files, other = make_certificate(tmp_path), make_certificate(tmp_path, name="other")
    rules = AccessRules(tls=mode, certificate=files.certificate, key=files.key)
    with MailSink(access_rules=rules) as sink:
        for settings in ({}, {"ca_file": other.certificate}):
            outcome = only(relay_at(sink.url, **settings))
            assert outcome.result is Result.UNAVAILABLE
            assert "certificate of the mail relay is not trusted" in outcome.reason
        assert sink.received == []


def test_a_certificate_for_another_name_stops_everything(tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    rules = AccessRules(tls="implicit", certificate=files.certificate, key=files.key)
    with MailSink(host="127.0.0.2", access_rules=rules) as sink:
        outcome = only(relay_at(sink.url, ca_file=files.certificate))
        assert "certificate of the mail relay is not trusted" in outcome.reason


def test_without_the_tls_that_was_asked_for_nothing_is_sent() -> None:
    with MailSink(access_rules=AccessRules(user="boop", password="secret")) as sink:
        url = sink.url.replace("smtp://", "smtp+starttls://")
        outcome = only(relay_at(url))
        assert outcome.result is Result.UNAVAILABLE
        assert outcome.reason == "the mail relay offers no TLS, which SATBRIDGE_RELAY_URL asks for"
        assert only(relay_at(url.replace("smtp+starttls", "smtps"))).reason.startswith("TLS with")
        assert sink.received == []


def test_a_wrong_password_is_temporary_and_is_not_repeated(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with MailSink(access_rules=AccessRules(user="boop", password="right")) as sink:
        relay = relay_at(sink.url.replace("right", "swordfish"))
        with caplog.at_level("DEBUG", "messaging"):
            outcome = only(relay)
        assert outcome.result is Result.UNAVAILABLE
        assert outcome.reason == "the mail relay refused user name and password: 535"
        assert "swordfish" not in caplog.text
        with pytest.raises(ConfigurationError, match=r"SATBRIDGE_RELAY_URL.*535"):
            check_relay(relay)


def test_a_missing_ca_file_is_named(tmp_path: Path) -> None:
    relay = relay_at("smtps://127.0.0.1:1", ca_file=tmp_path / "missing.pem")
    assert "SATBRIDGE_RELAY_CA_FILE" in only(relay).reason
    with pytest.raises(ConfigurationError, match="SATBRIDGE_RELAY_CA_FILE"):
        check_relay(relay)


def test_a_relay_that_is_not_there_is_unavailable() -> None:
    with closed_port("smtp") as url:
        assert only(relay_at(url)).reason == "the mail relay refuses connections"
        with pytest.raises(Unavailable, match="refuses connections"):
            check_relay(relay_at(url))
    assert "name of the mail relay" in only(relay_at("smtp://no.such.host.invalid")).reason


def test_a_relay_that_hangs_up_at_once_is_unavailable() -> None:
    with MailSink(faults=MailFaults(refuse_rate=1)) as sink:
        outcome = only(relay_at(sink.url))
        assert outcome.result is Result.UNAVAILABLE
        assert sink.connections == 2  # one for each mail


def test_an_answer_that_trickles_is_not_waited_for() -> None:
    with scripted(b"220-" + b"x" * 600, pause_seconds=0.05) as url:
        begin = time.monotonic()
        (outcome,) = send(relay_at(url, timeout_seconds=1), delivery())
        assert time.monotonic() - begin < 15
        assert outcome.reason.startswith("the mail relay did not answer in time")


def test_the_probe_says_what_it_found() -> None:
    with MailSink() as sink:
        assert check_relay(relay_at(sink.url)) == f"127.0.0.1:{sink.port} answers in the clear"
        assert sink.received == []
