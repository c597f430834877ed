"""Twilio's signature in every case that the provider notes list, and its fields in every shape."""

import hashlib
from urllib.parse import urlencode

import pytest

from messaging.model.webhook import NotAuthentic, Webhook
from messaging.simulator.twilio.push import signature
from messaging.sms.providers.twilio.signature import authentic_fields
from tests.support.sms.twilio_gateway import FORM, PHONE, TOKEN, account

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
        authentic_fields(_webhook(pairs, signed), url, [TOKEN])
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
    fields = authentic_fields(_webhook(pairs, signed, "foo=1&bar=2"), url, ["12345"])
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
    assert not authentic_fields(_json(body, query, signed), f"{URL}?{query}", [TOKEN])
    with pytest.raises(NotAuthentic):
        authentic_fields(_json(b'{"Body": "forged"}', query, signed), f"{URL}?{query}", [TOKEN])


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
        authentic_fields(_json(body, query, signed, kind), f"{URL}?{query}", [TOKEN])


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
