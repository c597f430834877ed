"""What an authentic webhook of Twilio's becomes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.model.message import DeadLetter, Message, OptOutChange, Receipt
from messaging.model.webhook import NotAuthentic, Webhook
from messaging.sms.providers.twilio.webhook import read_webhook
from tests.support.sms.twilio_gateway import FORM, OURS, PHONE, account


def test_a_text_becomes_a_message() -> None:
    (message,) = read_webhook({**FORM, "From": "+1 555 000 2222"}, b"")
    assert isinstance(message, Message)
    assert (message.sender.value, message.recipient.value) == (PHONE, OURS)
    assert (message.text, message.via) == ("hello", "twilio")
    assert read_webhook(FORM, b"other bytes")[0].id == message.id
    assert read_webhook({**FORM, "MessageSid": "SM2"}, b"")[0].id != message.id


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"NumMedia": "1", "MediaContentType0": "image/jpeg"}, "hello\n[1 picture left out]"),
        (
            {
                "Body": "",
                "NumMedia": "2",
                "MediaContentType0": "image/png",
                "MediaContentType1": "image/gif",
            },
            "[2 pictures left out]",
        ),
        (
            {"NumMedia": "2", "MediaContentType0": "image/png", "MediaContentType1": "text/vcard"},
            "hello\n[1 picture and 1 attachment left out]",
        ),
        ({"NumMedia": "99999999999999999999"}, "hello\n[10 attachments left out]"),
        ({"NumMedia": "-1"}, "hello"),
        ({"NumMedia": "²"}, "hello"),
        ({"Body": "a\0b"}, "ab"),
    ],
)
def test_media_are_named_and_left_out(changes: dict[str, str], text: str) -> None:
    (message,) = read_webhook({**FORM, **changes}, b"")
    assert isinstance(message, Message)
    assert message.text == text


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({"Body": " Stop "}, [False]),
        ({"Body": "unstop"}, [True]),
        ({"Body": "HELP"}, []),
        ({"Body": "please no more", "OptOutType": "STOP"}, [False]),
        ({"Body": "STOP", "OptOutType": "HELP"}, []),
        ({"Body": "yes", "OptOutType": "START"}, [True]),
    ],
)
def test_keywords_are_recorded_and_never_forwarded(
    changes: dict[str, str], allowed: list[bool]
) -> None:
    got = read_webhook({**FORM, **changes}, b"")
    assert [c.allowed for c in got if isinstance(c, OptOutChange)] == allowed
    assert len(got) == len(allowed)


def test_yes_is_recorded_and_still_delivered_because_it_answers_questions() -> None:
    consent, message = read_webhook({**FORM, "Body": "Yes"}, b"")
    assert isinstance(consent, OptOutChange)
    assert consent.allowed
    assert isinstance(message, Message)
    assert message.text == "Yes"
    assert consent.id != message.id


def test_a_text_over_whatsapp_keeps_its_channel_and_help_reaches_the_person() -> None:
    form = {**FORM, "From": "whatsapp:+1 555 000 2222", "To": f"whatsapp:{OURS}"}
    (message,) = read_webhook({**form, "Body": "HELP"}, b"")
    assert isinstance(message, Message)
    assert (message.sender.value, message.recipient.value) == (
        f"whatsapp:{PHONE}",
        f"whatsapp:{OURS}",
    )
    (stop,) = read_webhook({**form, "Body": "Stop"}, b"")
    assert isinstance(stop, OptOutChange)
    assert stop.sender.value == f"whatsapp:{PHONE}"


@pytest.mark.parametrize("text", ["HELP!", "Hilfe", "\uff28\uff25\uff2c\uff30", "info?"])
def test_calls_for_help_that_twilio_does_not_answer_are_delivered(text: str) -> None:
    (message,) = read_webhook({**FORM, "Body": text}, b"")
    assert isinstance(message, Message)
    assert message.text == text


@pytest.mark.parametrize(
    "changes",
    [
        {"From": ""},
        {"To": ""},
        {"MessageSid": ""},
        {"Body": " \n"},
        {"From": "x" * 200},
        {"From": "\0"},
    ],
)
def test_what_is_authentic_and_makes_no_sense_is_undeliverable(changes: dict[str, str]) -> None:
    (got,) = read_webhook({**FORM, **changes}, b"the bytes")
    assert isinstance(got, DeadLetter)
    assert (got.raw, got.via) == (b"the bytes", "twilio")
    assert got.reason


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "From",
                "To",
                "Body",
                "MessageSid",
                "NumMedia",
                "OptOutType",
                "MediaContentType0",
                "MediaUrl0",
            ]
        )
        | st.text(max_size=5),
        st.text(max_size=40) | st.sampled_from([PHONE, "STOP", "YES", "3", "image/png"]),
    )
)
def test_any_fields_become_something_that_can_be_stored(fields: dict[str, str]) -> None:
    for got in read_webhook(fields, b"raw"):
        assert not isinstance(got, Receipt)
        assert len(got.id) == 32
        assert "\0" not in got.sender.value
        if isinstance(got, Message):
            assert got.text.strip()
            assert "\0" not in got.text
            assert got.sender.value
            assert got.recipient.value


@given(
    st.binary(max_size=300),
    st.text(max_size=30),
    st.text(max_size=40),
    st.sampled_from(["application/json", "x"]),
)
def test_no_request_without_the_token_is_authentic(
    body: bytes, signed: str, query: str, kind: str
) -> None:
    webhook = Webhook(
        "/sms/twilio", query, {"content-type": kind, "x-twilio-signature": signed}, body
    )
    with pytest.raises(NotAuthentic):
        account().parse(webhook, "https://gateway.example")
