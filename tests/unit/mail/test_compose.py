"""The composition of outgoing mails."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.errors import Rejected
from messaging.mail.compose import compose, mail_address
from messaging.mail.text import clean
from messaging.model.message import Address, Delivery, Message, Network

NOW = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Satbridge-Delivery",
    "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
}  # fmt: skip


def delivery(
    text: str = "hello",
    subject: str = "",
    recipient: str = "ann@friends.example",
    sender: str = "boop@example.org",
    attempt: int = 1,
) -> Delivery:
    message = Message(
        id="0123456789abcdef0123456789abcdef",
        sender=Address(Network.EMAIL, sender),
        recipient=Address(Network.EMAIL, recipient),
        text=text,
        subject=subject,
        via="smtp",
    )
    return Delivery(id=7, message=message, attempt=attempt, lease_until=NOW + timedelta(minutes=2))


def written(delivery: Delivery) -> EmailMessage:
    content = compose(delivery, "example.org", NOW).content
    parsed = message_from_bytes(content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def body(mail: EmailMessage) -> str:
    return str(mail.get_content()).replace("\r\n", "\n")


def test_a_mail_has_all_header_fields() -> None:
    mail = written(delivery("All well ✓", "From the ridge"))
    assert mail["From"] == "boop@example.org"
    assert mail["To"] == "ann@friends.example"
    assert mail["Subject"] == "From the ridge"
    assert mail["Date"] == "Wed, 01 Jul 2026 12:30:00 +0000"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert body(mail) == "All well ✓\n"
    assert set(mail.keys()) == HEADERS


def test_a_mail_without_subject_names_the_sender() -> None:
    assert written(delivery(subject=" "))["Subject"] == "Message from boop"


def test_a_repeat_has_the_same_message_id() -> None:
    wanted = "<0123456789abcdef0123456789abcdef.7@example.org>"
    assert {written(delivery(attempt=n))["Message-ID"] for n in (1, 2)} == {wanted}


@pytest.mark.parametrize(
    "text", ["hello", "héllo", "日本語", "x" * 5000, ".\n..\nFrom me\n", "", "a\x00\x1b\udcffb"]
)
def test_every_text_travels_in_seven_bits(text: str) -> None:
    content = compose(delivery(text), "example.org", NOW).content
    assert content.isascii()
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert body(written(delivery(text))) == clean(text) + "\n"


NASTY = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(
            [
                "\r",
                "\n",
                "\r\n",
                "Bcc: eve@evil.example",
                ":",
                " ",
                "\t",
                "\x0b",
                "\u2028",
                "\x85",
                "é",
                "=?utf-8?q?",
                "=0D=0ABcc:_eve@evil.example",
                "?=",
                "\r\n\r\n",
                "\r\n.\r\n",
                "\udcff",
                "\x00",
                "a" * 90,
                "=?",
                '"',
                "<",
                "@",
            ]
        ),
        max_size=20,
    ).map("".join),
)


@given(NASTY, NASTY)
def test_no_text_can_add_a_header_or_end_the_mail(text: str, subject: str) -> None:
    mail = written(delivery(text, subject))
    assert set(mail.keys()) == HEADERS
    assert mail["To"] == "ann@friends.example"
    assert not mail.defects
    assert "\r" not in mail["Subject"]
    assert "\n" not in mail["Subject"]
    content = compose(delivery(text, subject), "example.org", NOW).content
    head = content.partition(b"\r\n\r\n")[0].decode("ascii")
    for line in head.split("\r\n"):
        assert line[0] in " \t" or line.partition(":")[0] in HEADERS


@given(NASTY, NASTY)
def test_no_address_can_add_a_header_or_a_command(local: str, domain: str) -> None:
    text = f"{local}@{domain}"
    try:
        mail = compose(delivery(recipient=text), "example.org", NOW)
    except Rejected:
        return
    assert not set(mail.recipient) & set('\r\n\t <>"\\,;:()[]\x00')
    assert set(written(delivery(recipient=text)).keys()) == HEADERS


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" ann@friends.example ", "ann@friends.example"),
        ("Ann.O'Neil+x@Friends.Example", "Ann.O'Neil+x@friends.example"),
        ("a..b@docomo.example", "a..b@docomo.example"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("änn@friends.example", "änn@friends.example"),
        ("boop@localhost", "boop@localhost"),
    ],
)
def test_an_address_is_taken_as_it_is_written(text: str, address: str) -> None:
    assert mail_address(text) == address
    assert written(delivery(recipient=text))["To"] is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@x.example",
        "ann@",
        "a b@x.example",
        "ann@x..example",
        '"a b"@x.example',
        "ann@[127.0.0.1]",
        "ann@x.example,bob@x.example",
        "<ann@x.example>",
        "x" * 65 + "@x.example",
        "ann@x.example\r\nDATA",
        "a\u2028b@x.example",
    ],
)
def test_a_malformed_address_is_rejected(text: str) -> None:
    with pytest.raises(Rejected, match="not a mail address"):
        mail_address(text)


def test_an_international_address_is_marked_as_one() -> None:
    assert compose(delivery(recipient="änn@x.example"), "example.org", NOW).international
    assert not compose(
        delivery(recipient="ann@bücher.example"), "bücher.example", NOW
    ).international
