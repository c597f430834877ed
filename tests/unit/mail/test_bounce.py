"""The reading of delivery reports about our mails."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.mail.message_ids import Reference, find_reference
from messaging.mail.parse.bounce import explain_status, read_report
from messaging.mail.parse.mail import read_mail
from messaging.mail.parse.parts import part_of
from tests.support.mail.bounces import OURS, bounce


def test_a_bounce_has_recipient_reason_and_reference() -> None:
    report = read_report(part_of(bounce()))
    assert report is not None
    assert report.failed
    assert report.recipients == ("ann@friends.example",)
    assert report.reason == (
        "the mail bounced: there is no such mailbox; the mail server said: 550 5.1.1 User unknown"
    )
    assert find_reference(report.references[0], "example.org") == Reference(
        "0123456789abcdef" * 2, 7
    )


def test_a_mail_that_is_only_late_has_not_failed() -> None:
    report = read_report(part_of(bounce(action="delayed", status="4.4.7")))
    assert report is not None
    assert not report.failed
    assert "delayed, still trying" in report.reason


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers", None])
@pytest.mark.parametrize("named_in", [None, "In-Reply-To", "References", "status"])
def test_our_mail_is_found_wherever_it_is_named(returned: str | None, named_in: str | None) -> None:
    if returned is None and named_in is None:
        return
    report = read_report(part_of(bounce(returned=returned, named_in=named_in)))
    assert report is not None
    found = [find_reference(text, "example.org") for text in report.references]
    assert Reference("0123456789abcdef" * 2, 7) in found


def test_line_ends_of_every_kind_do() -> None:
    for end in (b"\n", b"\r"):
        report = read_report(part_of(bounce().replace(b"\r\n", end)))
        assert report is not None
        assert report.failed


def test_one_failed_recipient_among_several_makes_it_failed() -> None:
    late = "Final-Recipient: rfc822; bob@x.example\r\nAction: delayed\r\nStatus: 4.0.0\r\n\r\n"
    report = read_report(part_of(bounce(more_groups=late)))
    assert report is not None
    assert report.failed
    assert report.recipients == ("ann@friends.example",)


@pytest.mark.parametrize(
    "change",
    [
        (b"message/delivery-status", b"text/plain"),
        (b"Status:", b"X-Status:"),
    ],
)
def test_other_mails_have_no_report(change: tuple[bytes, bytes]) -> None:
    changed = bounce().replace(*change).replace(b"Action:", b"X-Action:")
    assert read_mail(changed).report is None


@pytest.mark.parametrize(
    "change",
    [
        (b"multipart/report", b"multipart/mixed"),
        (b"Action: failed\r\n", b""),
        (
            b"Content-Type: multipart/report",
            b"Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: text/plain\r\n\r\n"
            b"Scanned\r\n--o\r\nContent-Type: multipart/report",
        ),
    ],
    ids=["wrong type", "no action", "wrapped by a scanner"],
)
def test_reports_out_of_form_are_read(change: tuple[bytes, bytes]) -> None:
    report = read_mail(bounce().replace(*change)).report
    assert report is not None
    assert report.failed
    assert any(OURS in text for text in report.references)


def test_the_reason_may_stand_in_a_field_of_the_server() -> None:
    text = re.sub(
        rb"Diagnostic-Code:[^\r]*",
        b'X-Supplementary-Info: <mx #5.0.0 smtp; 550 "Unknown User">',
        bounce(),
    )
    report = read_mail(text).report
    assert report is not None
    assert 'said: 550 "Unknown User"' in report.reason


IN_WORDS = [
    (
        "MAILER-DAEMON@mx.example",
        "failure notice",
        "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message.\n"
        "This is a permanent error; I've given up.\n\n<ann@x.example>:\n550 5.1.1 no such user\n\n"
        "--- Below this line is a copy of the message.\n\n",
    ),
    (
        "Mail Delivery System <Mailer-Daemon@mx.example>",
        "Mail delivery failed: returning message to sender",
        "A message that you sent could not be delivered. This is a permanent error.\n\n  ann@x.example\n"
        "    host mx.x.example: 550 5.1.1 unknown user\n\n",
    ),
    (
        "postmaster@x.example",
        "Delivery failure",
        "Failed Recipient: ann@x.example\nReason: Remote host said: 550 5.1.1 no such account\n\n",
    ),
]


@pytest.mark.parametrize(
    ("author", "subject", "words"), IN_WORDS, ids=["qmail", "Exim", "hMailServer"]
)
def test_reports_in_words_are_read(author: str, subject: str, words: str) -> None:
    text = f"From: {author}\nSubject: {subject}\n\n{words}Message-ID: {OURS}\nSubject: Hi\n"
    report = read_mail(text.encode()).report
    assert report is not None
    assert (report.failed, report.recipients[0]) == (True, "ann@x.example")
    assert any(OURS in one for one in report.references)
    assert report.reason.startswith(
        "the mail bounced: there is no such mailbox; the mail server said: 5"
    )


@pytest.mark.parametrize(
    ("author", "subject", "words"),
    [
        ("postmaster@x.example", "[Postmaster] Email Delivery Failure", "550 5.1.1 No such user"),
        (
            "Postmaster@x.example",
            "DELIVERY FAILURE: User ann not listed",
            "Not delivered: user not listed",
        ),
        ("PostMaster@x.example", "系统退信", "550 Mailbox not found"),
        (
            "Mail Administrator <Postmaster@x.example>",
            "Mail System Error - Returned Mail",
            "Unknown user",
        ),
        ("MAILER-DAEMON@x.example", "Недоставленное сообщение", "550 5.7.1 No such user!"),
        ("MAILER-DAEMON@x.example", "Failure Notice", "554: delivery error: dd no such account"),
        (
            "Mailer-Daemon@x.example",
            "Message status - undeliverable",
            "Undeliverable to: ann (user not found)",
        ),
        ("mailer-daemon@x.example", "메일 발송 실패 안내", "550 5.1.1 No such user"),
        (
            "Mailer-Daemon@x.example",
            "Nachricht konnte nicht zugestellt werden",
            "550 5.1.1 unbekannt",
        ),
        ("MAILER-DAEMON@x.example", "Nedoručená zpráva", "550 5.1.1 ann@x.example"),
        ("postmaster@x.example", "**Message you sent blocked by our filter**", "550 5.7.1 blocked"),
    ],
)
def test_reports_of_many_servers_are_read(author: str, subject: str, words: str) -> None:
    text = f"From: {author}\nSubject: {subject}\n\n{words}\n\nMessage-ID: {OURS}\nSubject: Hi\n"
    report = read_mail(text.encode()).report
    assert report is not None
    assert report.failed
    assert any(OURS in one for one in report.references)


def test_an_answer_of_a_postmaster_is_none() -> None:
    text = (
        f"From: Jo <postmaster@x.example>\nSubject: Re: Hi\n\nWe said 550 5.7.1, sorry.\n{OURS}\n"
    )
    assert read_mail(text.encode()).report is None


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("Warning: message delayed", "It will be retried."),
        (
            "Warning: could not send message for past 4 hours",
            "YOU DO NOT NEED TO RESEND YOUR MESSAGE",
        ),
        (
            "Delivery Status Notification (Delay)",
            "A temporary problem: 550 5.1.1 stands in no rule",
        ),
        ("Undeliverable mail", "451 4.2.0 mailbox busy"),
    ],
)
def test_a_delay_in_words_is_no_failure(subject: str, words: str) -> None:
    text = f"From: Mailer-Daemon@mx.example\nSubject: {subject}\n\n{words}\n{OURS}\n"
    report = read_mail(text.encode()).report
    assert report is not None
    assert not report.failed


def test_an_address_in_brackets_is_a_recipient() -> None:
    report = read_report(part_of(bounce(recipient="<Ann@friends.example>")))
    assert report is not None
    assert report.recipients == ("ann@friends.example",)


def test_a_person_who_quotes_a_report_makes_none() -> None:
    text = f"From: Ann <ann@x.example>\nSubject: Undelivered\n\n550 5.1.1 what is that?\n{OURS}\n"
    assert read_mail(text.encode()).report is None


def test_a_relay_that_renames_a_mail_leaves_its_other_name() -> None:
    renamed = bounce().replace(
        f"Message-ID: {OURS}".encode(),
        f"Message-ID: <1@ses>\r\nX-Satbridge-Delivery: {OURS}".encode(),
    )
    report = read_mail(renamed).report
    assert report is not None
    assert OURS in report.references


def test_a_report_without_words_for_people_is_read_too() -> None:
    parsed = read_mail(re.sub(rb"Subject: [^\r]*\r\n|Sorry[^\r]*\r\n", b"", bounce()))
    assert (parsed.subject, parsed.text) == ("", "[1 mail left out]")
    assert parsed.report is not None
    headers_only = bounce(returned="text/rfc822-headers")
    parsed = read_mail(re.sub(rb"Subject: [^\r]*\r\n|Sorry[^\r]*\r\n", b"", headers_only))
    assert (parsed.text, parsed.report is not None) == ("", True)


@given(st.binary(max_size=300), st.integers(0, 2000), st.integers(0, 300))
def test_no_bytes_break_the_reader(noise: bytes, at: int, cut: int) -> None:
    whole = bounce()
    report = read_report(part_of(whole[:at] + noise + whole[at + cut :]))
    assert report is None or (len(report.reason) < 500 and "\n" not in report.reason)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (OURS, True),
        (OURS.upper(), True),
        (OURS.replace("example.org", "EXAMPLE.org."), True),
        (f"<x@y.example> {OURS}", True),
        (OURS.replace("example.org", "example.com"), False),
        (OURS.replace(".7@", "@"), False),
        (OURS.replace("0", "x"), False),
        ("", False),
    ],
)
def test_only_a_message_id_of_ours_is_one(text: str, found: bool) -> None:
    assert (find_reference(text, "example.org") is not None) is found


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("5.1.1", "there is no such mailbox"),
        ("5.1.99", "something is wrong with the address"),
        ("5.2.2 (full)", "the mailbox is full"),
        ("4.4.7", "the mail could not be delivered in time"),
        ("5.7.26", "the mail server does not allow it"),
        ("5.0.0", "no reason was given"),
        ("", "no reason was given"),
    ],
)
def test_a_status_is_put_explain_status(status: str, words: str) -> None:
    assert explain_status(status) == words


def test_the_standard_library_agrees_that_it_is_a_report() -> None:
    mail = message_from_bytes(bounce(), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    assert mail.get_content_type() == "multipart/report"
    assert not mail.defects
