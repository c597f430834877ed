"""Twilio's status callbacks: what each says about a text of ours, in whatever order they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.model.message import DeadLetter, OptOutChange, Receipt, ReceiptState
from messaging.sms.account import Received
from messaging.sms.errors import Kind
from messaging.sms.providers.twilio.errors import MEANINGS
from messaging.sms.providers.twilio.webhook import read_webhook
from tests.support.sms.twilio_gateway import OURS, PHONE

CALLBACK = {
    "MessageSid": "SM1",
    "SmsSid": "SM1",
    "AccountSid": "AC1",
    "From": OURS,
    "To": PHONE,
    "ApiVersion": "2010-04-01",
}


def callback(status: str, **fields: str) -> list[Received]:
    return read_webhook(
        {**CALLBACK, "MessageStatus": status, "SmsStatus": status, **fields}, b"raw"
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("delivered", ReceiptState.DELIVERED),
        ("read", ReceiptState.DELIVERED),
        ("undelivered", ReceiptState.FAILED),
        ("failed", ReceiptState.FAILED),
        ("canceled", ReceiptState.FAILED),
    ],
)
def test_an_end_is_a_receipt_for_the_sid(status: str, state: ReceiptState) -> None:
    (got,) = callback(status)
    assert isinstance(got, Receipt)
    assert (got.via, got.network_id, got.state) == ("twilio", "SM1", state)
    assert bool(got.reason) is (state is ReceiptState.FAILED)


@pytest.mark.parametrize(
    "status",
    ["accepted", "scheduled", "queued", "sending", "sent", "partially_delivered", "from-tomorrow"],
)
def test_a_text_that_is_on_its_way_is_no_news(status: str) -> None:
    assert callback(status) == []


@pytest.mark.parametrize("code", [code for code in MEANINGS if code != 21610])
def test_every_code_is_said_in_the_words_of_the_table(code: int) -> None:
    (got,) = callback("undelivered", ErrorCode=str(code), ErrorMessage="not for people")
    assert isinstance(got, Receipt)
    assert got.reason == MEANINGS[code].reason


@pytest.mark.parametrize("code", MEANINGS)
def test_only_what_passes_by_itself_is_worth_another_text(code: int) -> None:
    got = callback("undelivered", ErrorCode=str(code))[0]
    assert isinstance(got, Receipt)
    passes = MEANINGS[code].kind is Kind.PASSING
    assert bool(got.retry_after_seconds) is passes
    assert code != 30003 or got.retry_after_seconds == 2 * 3600


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("", "gave no reason"),
        ("30999", "(error 30999)"),
        ("<script>", "gave no reason"),
        ("٣", "gave no reason"),
        ("9" * 5000, "gave no reason"),
    ],
)
def test_an_unknown_code_is_named_if_it_is_one(code: str, words: str) -> None:
    (got,) = callback("failed", ErrorCode=code)
    assert isinstance(got, Receipt)
    assert got.reason.endswith(words)


def test_a_recipient_who_had_opted_out_is_opted_out_here_too() -> None:
    receipt, consent = callback("failed", ErrorCode="21610")
    assert isinstance(receipt, Receipt)
    assert isinstance(consent, OptOutChange)
    assert (consent.sender.value, consent.recipient.value) == (PHONE, OURS)
    assert consent.allowed is False


def test_the_same_callback_twice_says_the_same() -> None:
    assert callback("failed", ErrorCode="21610") == callback("failed", ErrorCode="21610")


def test_the_receipt_is_for_the_account_that_was_called() -> None:
    (got,) = read_webhook({**CALLBACK, "MessageStatus": "delivered"}, b"", "twilio-work")
    assert isinstance(got, Receipt)
    assert got.via == "twilio-work"


def test_news_of_no_message_is_kept_for_people() -> None:
    (got,) = callback("delivered", MessageSid="", SmsSid="")
    assert isinstance(got, DeadLetter)
    assert got.raw == b"raw"


@given(
    st.dictionaries(
        st.sampled_from(["MessageSid", "SmsSid", "From", "To", "ErrorCode", "MessageStatus"]),
        st.text(max_size=30) | st.sampled_from(["21610", "30003", "delivered", "failed", "9" * 30]),
    )
)
def test_no_callback_is_more_than_a_receipt_and_a_consent(fields: dict[str, str]) -> None:
    for got in read_webhook({"MessageStatus": "failed", **fields}, b"raw"):
        if isinstance(got, Receipt):
            assert got.network_id
            assert got.state is ReceiptState.DELIVERED or got.reason
        assert isinstance(got, Receipt | OptOutChange | DeadLetter) or "MessageStatus" in fields
