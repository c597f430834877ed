"""The fields of a parsed mail beside its text, and the cut of a long text."""

from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest

from messaging.errors import Rejected
from messaging.mail.parse.mail import read_mail
from tests.support.mail.mails import HTML, MIXED, PDF, PICTURE, PLAIN, parts


def test_the_message_id_stays_unchanged() -> None:
    assert read_mail(b"Message-Id:\r\n <1@x>\r\n\r\nt").message_id_header == "<1@x>"
    assert read_mail(b"Message-Id:  \r\n\r\nt").message_id_header is None


def test_omitted_parts_are_listed_too() -> None:
    assert read_mail(MIXED + parts(PLAIN, PICTURE, PDF)).left_out == ("1 picture", "1 document")


def test_a_long_text_says_that_it_was_cut() -> None:
    text = read_mail(b"\r\n" + b"word " * 10_000, max_text_chars=100).text
    assert text.endswith("word\n\n[cut after 100 characters]")
    assert text.startswith("word word")


def test_a_text_that_just_fits_is_not_cut() -> None:
    assert read_mail(b"\r\n" + b"x" * 100, max_text_chars=100).text == "x" * 100


@pytest.mark.parametrize(
    "data", [b"", b"\r\n", b"From: a@b\r\n\r\n \r\n\t", HTML.replace(b"rich <b>text</b>", b"")]
)
def test_an_empty_mail_is_refused(data: bytes) -> None:
    with pytest.raises(Rejected, match="the mail has no text"):
        read_mail(data)


def test_a_mail_of_the_old_library_is_read_too() -> None:
    mail = MIMEMultipart("alternative")
    mail["Subject"] = "Grüße"
    mail.attach(MIMEText("hallo ✓", "plain", "utf-8"))
    mail.attach(MIMEText("<p>hallo</p>", "html", "utf-8"))
    parsed = read_mail(mail.as_bytes())
    assert (parsed.subject, parsed.text) == ("Grüße", "hallo ✓")
