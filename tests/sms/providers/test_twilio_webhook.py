"""Twilio's signature in every case that the provider notes list, and its fields in every shape."""

import hashlib
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.message import Consent, Message, Receipt, Undeliverable
from messaging.simulator.twilio_webhooks import signature
from messaging.sms.providers.twilio_webhook import fields_of, received
from messaging.webhook import NotAuthentic, Webhook
from tests.sms.twilio_gateway import FORM, OURS, PHONE, TOKEN, account

URL = "https://gateway.example/sms/twilio"
FORM_TYPE = "application/x-www-form-urlencoded"
Pairs = list[tuple[str, str]]


def _webhook(pairs: Pairs, signed: str | None, query: str = "") -> Webhook:
    headers = {"content-type": FORM_TYPE}
    if signed is not None:
        headers["x-twilio-signature"] = signed
    return Webhook("/sms/twilio", query, headers, urlencode(pairs).encode())


def _is_authentic(url: str, pairs: Pairs, signed: str | None) -> bool:
    try:
        fields_of(_webhook(pairs, signed), url, [TOKEN])
    except NotAuthentic:
        return False
    return True


def test_the_known_signature_is_accepted() -> None:
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    pairs = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]
    signed = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    assert signature("12345", url, pairs) == signed
    fields = fields_of(_webhook(pairs, signed, "foo=1&bar=2"), url, ["12345"])
    assert fields.multi_items() == pairs


@pytest.mark.parametrize(
    ("called", "signed_url", "authentic"),
    [
        (URL, URL, True),
        ("https://gateway.example:443/sms/twilio", URL, True),
        ("https://gateway.example:8443/sms/twilio", URL, True),
        ("http://gateway.example/sms/twilio", URL, False),
        (f"{URL}/", URL, False),
        (f"{URL}?a=1", URL, False),
        ("https://u:p@gateway.example:8443/sms/twilio", URL, False),
        ("https://[::1]:8443/sms/twilio", "https://[::1]/sms/twilio", False),
        ("http://[::1]:8443/sms/twilio", "http://[::1]:8443/sms/twilio", True),
        ("https://[broken/sms/twilio", URL, False),
        ("https://gateway.example:99999/sms/twilio", URL, False),
    ],
)
def test_the_url_counts_but_for_its_port(called: str, signed_url: str, authentic: bool) -> None:
    pairs = list(FORM.items())
    assert _is_authentic(called, pairs, signature(TOKEN, signed_url, pairs)) is authentic


@pytest.mark.parametrize("signed", [None, "", "x", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "é"])
def test_a_missing_or_wrong_signature_is_refused(signed: str | None) -> None:
    assert not _is_authentic(URL, list(FORM.items()), signed)


@pytest.mark.parametrize(
    "pairs",
    [
        [("Body", ""), ("From", PHONE)],
        [("Unheard", "of"), ("Body", " untrimmed "), ("zz", "")],
        [("Twice", "b"), ("Twice", "a"), ("Twice", "a")],
        [("Body", "grüße 👋 & = + %"), ("a=b", "c")],
    ],
    ids=["empty", "unknown", "repeated", "unicode"],
)
def test_every_field_counts(pairs: Pairs) -> None:
    signed = signature(TOKEN, URL, pairs)
    assert _is_authentic(URL, pairs, signed)
    assert not _is_authentic(URL, [*pairs, ("More", "")], signed)
    assert not _is_authentic(URL, [*pairs[:-1], (pairs[-1][0], "changed")], signed)


def _json(body: bytes, query: str, signed: str, kind: str = "application/json") -> Webhook:
    headers = {"content-type": kind, "x-twilio-signature": signed}
    return Webhook("/sms/twilio", query, headers, body)


def test_a_json_body_counts_only_with_its_hash_in_the_url() -> None:
    body = b'{"Body": "hello"}'
    query = f"bodySHA256={hashlib.sha256(body).hexdigest()}"
    signed = signature(TOKEN, f"{URL}?{query}", [])
    assert not fields_of(_json(body, query, signed), f"{URL}?{query}", [TOKEN])
    with pytest.raises(NotAuthentic):
        fields_of(_json(b'{"Body": "forged"}', query, signed), f"{URL}?{query}", [TOKEN])


@pytest.mark.parametrize(
    ("query", "body", "kind"),
    [
        ("", b'{"Body": "hello"}', "application/json"),
        ("bodySHA256=", b"{}", "application/json"),
        ("bodySHA256=abc", b"{}", "application/json"),
        ("bodySHA256=abc", b"\xff\xfe", "Application/JSON; charset=utf-8"),
        ("bodySHA256=abc", b"From=%2B1&Body=forged", FORM_TYPE),
        ("", b"\xff=\xfe", FORM_TYPE),
        ("", b"&".join(b"a=b" for _ in range(2000)), FORM_TYPE),
    ],
)
def test_tricks_with_json_and_forms_are_refused(query: str, body: bytes, kind: str) -> None:
    signed = signature(TOKEN, f"{URL}?{query}", [])
    with pytest.raises(NotAuthentic):
        fields_of(_json(body, query, signed, kind), f"{URL}?{query}", [TOKEN])


def test_both_tokens_count_while_one_is_rotated() -> None:
    used = account(old_auth_token="the one before")
    for token, authentic in ((TOKEN, True), ("the one before", True), ("another", False)):
        webhook = _webhook(list(FORM.items()), signature(token, URL, list(FORM.items())))
        if authentic:
            assert used.parse(webhook, "https://gateway.example/")
        else:
            with pytest.raises(NotAuthentic):
                used.parse(webhook, "https://gateway.example/")


def test_the_url_entered_at_twilio_stands_in_for_the_public_one() -> None:
    used = account(webhook_url="https://hooks.example/in/?x=1#rc=3&rp=all")
    pairs = list(FORM.items())
    signed = signature(TOKEN, "https://hooks.example/in/?x=1", pairs)
    webhook = _webhook(pairs, signed, query="x=1")
    assert used.parse(webhook, "https://other.example")


def test_a_text_becomes_a_message() -> None:
    (message,) = received({**FORM, "From": "+1 555 000 2222"}, b"")
    assert isinstance(message, Message)
    assert (message.sender.value, message.recipient.value) == (PHONE, OURS)
    assert (message.text, message.via) == ("hello", "twilio")
    assert received(FORM, b"other bytes")[0].id == message.id
    assert received({**FORM, "MessageSid": "SM2"}, b"")[0].id != message.id


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
    (message,) = received({**FORM, **changes}, b"")
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
    got = received({**FORM, **changes}, b"")
    assert [c.allowed for c in got if isinstance(c, Consent)] == allowed
    assert len(got) == len(allowed)


def test_yes_is_recorded_and_still_delivered_because_it_answers_questions() -> None:
    consent, message = received({**FORM, "Body": "Yes"}, b"")
    assert isinstance(consent, Consent)
    assert consent.allowed
    assert isinstance(message, Message)
    assert message.text == "Yes"
    assert consent.id != message.id


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
    (got,) = received({**FORM, **changes}, b"the bytes")
    assert isinstance(got, Undeliverable)
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
    for got in received(fields, b"raw"):
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
