"""The notices to authors, as delivery status notifications."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.mail.dsn_mime import compose_notice
from messaging.mail.message_ids import find_reference
from messaging.mail.parse.bounce import read_report
from messaging.mail.parse.parts import part_of
from messaging.model.message import Address, Delivery, Failure, Message, Network
from messaging.simulator.mail.server import MailSink
from tests.support.mail.outgoing import relay_at, send

NOW = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
FAILURE = Failure(
    recipient="boop@example.org",
    reason="gave up after 40 attempts; the last one said: no satellite in view",
    expired=False,
    subject="Wetter für morgen",
    reference="<1@friends.example>",
    received_at=NOW - timedelta(days=1),
)


def delivery(failure: Failure = FAILURE, text: str = "It was not delivered.") -> Delivery:
    message = Message(
        id="0123456789abcdef" * 2,
        sender=Address(Network.EMAIL, "MAILER-DAEMON@example.org"),
        recipient=Address(Network.EMAIL, "ann@friends.example"),
        subject=f"Not delivered: {failure.subject}",
        text=text,
        via="smtp",
        failure=failure,
    )
    until = datetime.now(UTC) + timedelta(minutes=1)
    return Delivery(id=7, message=message, attempt=1, lease_until=until)


def written(failure: Failure = FAILURE, text: str = "It was not delivered.") -> EmailMessage:
    mail = compose_notice(delivery(failure, text), failure, "example.org", NOW)
    assert mail.sender == ""
    assert mail.content.isascii()
    parsed = message_from_bytes(mail.content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def groups(status: Any) -> list[Any]:
    """Return the groups of fields of a delivery status."""
    return list(status.get_payload())


def test_a_notice_is_a_delivery_status_notification() -> None:
    mail = written()
    assert mail["Content-Type"].params["report-type"] == "delivery-status"
    assert (mail["From"], mail["To"]) == ("MAILER-DAEMON@example.org", "ann@friends.example")
    assert mail["Subject"] == "Not delivered: Wetter für morgen"
    assert (mail["In-Reply-To"], mail["References"]) == ("<1@friends.example>",) * 2
    assert mail["Auto-Submitted"] == "auto-replied"
    kinds = [part.get_content_type() for part in mail.iter_parts()]
    assert kinds == ["text/plain", "message/delivery-status", "text/rfc822-headers"]


def test_the_status_part_names_recipient_and_failure() -> None:
    _, status, original = written().iter_parts()
    about, recipient = groups(status)
    assert about["Reporting-MTA"] == "dns; example.org"
    assert recipient["Final-Recipient"] == "rfc822; boop@example.org"
    assert (recipient["Action"], recipient["Status"]) == ("failed", "5.0.0")
    assert recipient["Diagnostic-Code"].endswith("no satellite in view")
    headers = message_from_bytes(original.get_content().encode(), policy=policy.default)
    assert headers["Message-ID"] == "<1@friends.example>"
    assert headers["Subject"] == "Wetter für morgen"


def test_an_expired_delivery_has_its_own_status() -> None:
    _, status, _ = written(replace(FAILURE, expired=True)).iter_parts()
    assert groups(status)[1]["Status"] == "4.4.7"


def test_the_own_report_reader_reads_a_notice() -> None:
    content = compose_notice(delivery(), FAILURE, "example.org", NOW).content
    report = read_report(part_of(content))
    assert report is not None
    assert report.failed
    assert report.recipients == ("boop@example.org",)
    assert find_reference(part_of(content).field(b"message-id"), "example.org") is not None


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=60), st.text(max_size=200))
def test_no_text_of_an_author_breaks_a_notice(
    subject: str, reason: str, reference: str, text: str
) -> None:
    failure = replace(FAILURE, subject=subject, reason=reason, reference=reference)
    mail = written(failure, text)
    assert len(list(mail.iter_parts())) == 3
    assert set(mail.keys()) - {"In-Reply-To", "References"} == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version",
        "Content-Type",
    }  # fmt: skip
    _, status, _ = mail.iter_parts()
    _, recipient = groups(status)
    assert len(recipient.keys()) == 4
    assert not mail.defects


@pytest.mark.parametrize("reference", ["", "not one", "<a b@c>", "<1@x>\r\nBcc: eve@evil.example"])
def test_a_reference_that_is_none_is_left_out(reference: str) -> None:
    mail = written(replace(FAILURE, reference=reference))
    assert mail["In-Reply-To"] is None
    assert mail["Bcc"] is None


def test_a_notice_has_an_empty_envelope_sender() -> None:
    with MailSink() as sink:
        (outcome,) = send(relay_at(sink.url), delivery())
        assert outcome.result == "sent"
        (received,) = sink.received
        assert (received.sender, received.recipients) == ("", ("ann@friends.example",))
