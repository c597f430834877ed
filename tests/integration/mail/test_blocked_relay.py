"""A relay that takes nothing from the gateway: the mail is not the recipient's fault, and `check` finds out."""

import pytest

from messaging.errors import ConfigurationError
from messaging.mail.relay_client import check_relay
from messaging.model.message import Result
from messaging.simulator.mail.server import AccessRules, MailFaults, MailSink
from tests.support.mail.outgoing import delivery, only, relay_at, results, scripted, send

DENIED = "554 5.7.1 Relay access denied"
STRANGER = "postmaster@example.com"


def test_only_the_denied_mail_waits_for_the_operator() -> None:
    rules = AccessRules(answers={"bob@refuse.example": DENIED, "no@x.example": "550 5.1.1 no"})
    with MailSink(access_rules=rules) as sink:
        outcomes = send(
            relay_at(sink.url),
            delivery(1, "bob@refuse.example"),
            delivery(2, "no@x.example"),
            delivery(3),
        )
        assert results(outcomes) == [Result.UNAVAILABLE, Result.REJECTED, Result.SENT]
        assert [bool(one.action) for one in outcomes] == [True, False, False]
        assert outcomes[0].reason == f"the mail server said: {DENIED}"


def test_a_refused_log_in_and_a_refused_sender_wait_for_the_operator() -> None:
    with MailSink(access_rules=AccessRules(user="boop", password="right")) as sink:
        assert "SATBRIDGE_RELAY_URL" in only(relay_at(sink.url.replace("right", "wrong"))).action
    refusal = MailFaults(error_rate=1, error_status=550, error_at="MAIL")
    with MailSink(faults=refusal) as sink:
        assert only(relay_at(sink.url)).action
    with scripted(b"554 5.7.1 not for you\r\n") as url:
        assert only(relay_at(url)).action


def test_a_relay_that_hangs_or_is_away_blocks_no_account() -> None:
    with MailSink(faults=MailFaults(error_rate=1, error_status=451, error_at="MAIL")) as sink:
        assert not only(relay_at(sink.url)).action


@pytest.mark.parametrize(
    ("denied", "recipients"),
    [(STRANGER, ()), (STRANGER, ("op@example.org",)), ("op@example.org", ("op@example.org",))],
)
def test_the_check_finds_a_relay_that_does_not_relay(
    denied: str, recipients: tuple[str, ...]
) -> None:
    with MailSink(access_rules=AccessRules(answers={denied: DENIED})) as sink:
        relay = relay_at(sink.url)
        with pytest.raises(ConfigurationError, match="Relay access denied; check SATBRIDGE_RELAY"):
            check_relay(relay, "postmaster@example.org", recipients)
        assert check_relay(relay).startswith("127.0.0.1")
        assert sink.received == []


def test_the_check_finds_a_refused_sender_and_forgives_a_refused_stranger() -> None:
    refusal = MailFaults(error_rate=1, error_status=553, error_at="MAIL")
    with MailSink(faults=refusal) as sink, pytest.raises(ConfigurationError, match="553"):
        check_relay(relay_at(sink.url), "postmaster@example.org")
    for answer in ("550 5.1.1 unknown", "450 4.7.1 greylisted", "550 5.7.1 not this one"):
        with MailSink(access_rules=AccessRules(answers={STRANGER: answer})) as sink:
            said = check_relay(relay_at(sink.url), "postmaster@example.org", ["op@example.org"])
            assert said == f"127.0.0.1:{sink.port} answers in the clear"
            assert sink.received == []
