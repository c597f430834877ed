"""Bandwidth's callbacks: who may send them, what each event becomes, and that none harms its neighbours."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from messaging.message import Consent, Message, Receipt, ReceiptState, Undeliverable
from messaging.simulator.bandwidth_codes import DESCRIPTIONS
from messaging.sms.provider import Received
from messaging.sms.providers.bandwidth_errors import of_code
from messaging.sms.providers.bandwidth_webhook import CHALLENGE, check_credentials, events_of
from messaging.sms.refusals import Kind
from messaging.webhook import NotAuthentic, Webhook

OURS, PHONE = "+15550001111", "+15550002222"
USER, PASSWORD = "caller", "pässword:with-colon"


def event(kind: str = "message-received", **changes: Any) -> dict[str, Any]:
    inbound = kind == "message-received"
    message = {
        "id": "m1",
        "owner": OURS,
        "applicationId": "app",
        "time": "2026-11-01T10:00:00.000Z",
        "segmentCount": 2,
        "direction": "in" if inbound else "out",
        "to": [OURS if inbound else PHONE],
        "from": PHONE if inbound else OURS,
        "text": "hello" if inbound else "",
        "tag": "ours-1",
        "unheardOf": {"x": 1},
        **changes.pop("message", {}),
    }
    told = {"type": kind, "time": "2026-11-01T10:00:00Z", "to": OURS if inbound else PHONE}
    return {**told, "description": "for machines", "message": message, **changes}


def read(*events: Any, media_links: bool = True) -> list[Received]:
    return events_of(json.dumps(list(events)).encode(), "bandwidth", media_links=media_links)


def authorization(value: str | None) -> Webhook:
    headers = {} if value is None else {"authorization": value}
    return Webhook("/sms/bandwidth", "", headers, b"[]")


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_the_right_credentials_are_taken() -> None:
    for value in (basic(f"{USER}:{PASSWORD}"), basic(f"{USER}:{PASSWORD}").replace("B", "b", 1)):
        check_credentials(authorization(value), USER, SecretStr(PASSWORD))


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic ???",
        "Basic é",
        "Bearer " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
        basic(""),
        basic(f"{USER}:"),
        basic(f"{USER}:{PASSWORD}x"),
        basic(f"{USER}x:{PASSWORD}"),
        basic(f"{USER}:{PASSWORD}"[:-1]),
    ],
)
def test_anything_else_is_asked_for_credentials(value: str | None) -> None:
    with pytest.raises(NotAuthentic) as caught:
        check_credentials(authorization(value), USER, SecretStr(PASSWORD))
    assert caught.value.challenge == CHALLENGE
    assert PASSWORD not in str(caught.value)


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_no_header_that_was_not_made_for_it_opens(value: str) -> None:
    with pytest.raises(NotAuthentic):
        check_credentials(authorization(value), USER, SecretStr(PASSWORD))


def test_a_text_becomes_a_message() -> None:
    (got,) = read(event())
    assert isinstance(got, Message)
    assert (got.sender.value, got.recipient.value, got.text) == (PHONE, OURS, "hello")
    assert (got.via, got.wants_notice) == ("bandwidth", True)


def test_an_array_a_bare_object_and_a_repeat_say_the_same() -> None:
    bare = events_of(json.dumps(event()).encode(), "bandwidth", media_links=True)
    assert read(event()) == bare
    assert [one.id for one in read(event(), event())] == [bare[0].id, bare[0].id]


def test_a_text_to_a_group_is_one_message_for_each_of_our_numbers() -> None:
    both = [OURS, "+15550001112"]
    got = read(*(event(to=number, message={"to": both, "owner": number}) for number in both))
    assert [one.recipient.value for one in got if isinstance(one, Message)] == both
    assert len({one.id for one in got}) == 2


def test_what_we_sent_ourselves_does_not_come_back() -> None:
    assert read(event(message={"direction": "out"})) == []


@pytest.mark.parametrize(
    ("text", "allowed", "is_delivered"),
    [
        ("STOP", False, False),
        (" stop ", False, False),
        ("REVOKE", False, False),
        ("START", True, False),
        ("yes", True, True),
        ("HELP", None, True),
        ("INFO", None, True),
        ("stop it", None, True),
    ],
)
def test_keywords(text: str, allowed: bool | None, is_delivered: bool) -> None:
    got = read(event(message={"text": text}))
    consents = [one.allowed for one in got if isinstance(one, Consent)]
    assert consents == ([] if allowed is None else [allowed])
    assert [one.text for one in got if isinstance(one, Message)] == ([text] if is_delivered else [])


PICTURE = "https://messaging.bandwidth.com/api/v2/users/1/media/a/0/dog.jpg"
OTHER = "https://messaging.bandwidth.com/api/v2/users/1/media/a/1/card.vcf"
LAYOUT = "https://messaging.bandwidth.com/api/v2/users/1/media/a/2/0.smil"


def test_media_stand_in_the_text_as_links_and_the_layout_does_not() -> None:
    (got,) = read(event(message={"text": "", "media": [LAYOUT, PICTURE, OTHER]}))
    assert isinstance(got, Message)
    assert got.text == f"[picture: {PICTURE}]\n[attachment: {OTHER}]"


def test_media_are_counted_where_links_are_not_wanted_or_are_none() -> None:
    strange = ["ftp://x/y.png", "https://a b/c.png", "x" * 2000, "https://[", "\u202e.png"]
    (got,) = read(event(message={"media": [PICTURE, OTHER]}), media_links=False)
    assert isinstance(got, Message)
    assert got.text == "hello\n[1 picture and 1 attachment left out]"
    (other,) = read(event(message={"media": strange}))
    assert isinstance(other, Message)
    assert other.text == "hello\n[3 pictures and 2 attachments left out]"


def test_half_a_character_is_replaced() -> None:
    # RFC 8259 section 8.2: JSON may hold one; no store takes it.
    (got,) = read(event(message={"text": "a\ud83d", "id": "m\ud83d"}))
    assert isinstance(got, Message)
    assert got.text == "a?"


@pytest.mark.parametrize("kind", ["message-delivered", "message-read"])
def test_what_arrived_is_a_receipt_with_its_segments(kind: str) -> None:
    (got,) = read(event(kind))
    assert got == Receipt(
        via="bandwidth",
        network_id="m1",
        state=ReceiptState.DELIVERED,
        at=datetime(2026, 11, 1, 10, tzinfo=UTC),
        units=2,
    )


@pytest.mark.parametrize("kind", ["message-sending", "message-sent", "message-from-tomorrow"])
def test_what_is_on_its_way_is_no_news(kind: str) -> None:
    assert read(event(kind)) == []


@pytest.mark.parametrize("code", DESCRIPTIONS)
def test_every_code_is_a_receipt_in_the_words_of_the_table(code: int) -> None:
    got = read(event("message-failed", errorCode=code))
    receipt, meaning = got[0], of_code(code)
    assert isinstance(receipt, Receipt)
    is_open = meaning.kind is Kind.UNKNOWN
    assert receipt.state is (ReceiptState.ON_ITS_WAY if is_open else ReceiptState.FAILED)
    assert (receipt.reason, receipt.units) == (meaning.reason, None)
    assert bool(receipt.retry_after_seconds) is (meaning.kind is Kind.PASSING)
    consents = [(c.sender.value, c.recipient.value) for c in got[1:] if isinstance(c, Consent)]
    assert consents == ([(PHONE, OURS)] if code == 4775 else [])
    assert len(got) == 1 + len(consents)


@pytest.mark.parametrize(
    "changes",
    [
        {"message": {"from": ""}},
        {"message": {"from": None}},
        {"message": {"from": "x" * 200}},
        {"message": {"id": ""}},
        {"message": {"id": 7}},
        {"message": {"text": ""}},
        {"message": {"text": ["hello"]}},
        {"to": "", "message": {"owner": ""}},
        {"message": None},
        {"type": "suggestion-response"},
        {"type": "<script>" * 50},
        {"type": None},
    ],
)
def test_what_makes_no_sense_is_kept_and_its_neighbours_go_on(changes: dict[str, Any]) -> None:
    strange = {**event(**{k: v for k, v in changes.items() if v is not None})}
    strange.update({k: None for k, v in changes.items() if v is None})
    before, got, after = read(
        event(message={"id": "before"}), strange, event(message={"id": "after"})
    )
    assert isinstance(before, Message)
    assert isinstance(after, Message)
    assert isinstance(got, Undeliverable)
    assert json.loads(got.raw) == strange
    assert got.reason
    assert "<" not in got.reason
    assert len(got.reason) < 120


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 60_000, b"7" * 5000, b"NaNNaN"])
def test_a_body_that_is_not_json_is_kept(body: bytes) -> None:
    (got,) = events_of(body, "bandwidth", media_links=True)
    assert isinstance(got, Undeliverable)
    assert got.raw == body


@pytest.mark.parametrize("kind", ["message-delivered", "message-failed"])
def test_news_of_no_message_is_kept(kind: str) -> None:
    (got,) = read(event(kind, errorCode=4700, message={"id": None}))
    assert isinstance(got, Undeliverable)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
KINDS = ["message-received", "message-delivered", "message-failed", "message-read", "other"]
FIELDS = st.sampled_from(
    ["id", "from", "to", "owner", "text", "media", "direction", "segmentCount"]
)


@given(
    kind=st.sampled_from(KINDS) | JSON,
    to=st.sampled_from([OURS, PHONE]) | JSON,
    code=st.sampled_from([4775, 9999]) | JSON,
    message=st.dictionaries(FIELDS, st.sampled_from([OURS, PHONE, "in", "STOP", "YES"]) | JSON)
    | JSON,
)
def test_any_event_becomes_something_that_can_be_stored(
    kind: Any, to: Any, code: Any, message: Any
) -> None:
    body = json.dumps({"type": kind, "to": to, "errorCode": code, "message": message}).encode()
    for got in events_of(body, "bandwidth", media_links=True):
        stored(got)


@given(st.binary(max_size=300) | JSON.map(lambda found: json.dumps(found).encode()))
def test_any_body_becomes_something_that_can_be_stored(body: bytes) -> None:
    for got in events_of(body, "bandwidth", media_links=True):
        stored(got)


def stored(got: Received) -> None:
    if isinstance(got, Receipt):
        assert got.network_id.encode()
        assert got.reason or got.state is ReceiptState.DELIVERED
        return
    assert len(got.id) == 32
    assert "\0" not in got.sender.value
    assert got.sender.value.encode() or isinstance(got, Undeliverable)
    if isinstance(got, Message):
        assert got.text.strip()
        assert "\0" not in got.text
        got.text.encode()
