"""Receipts, and events of Bandwidth's that make no sense."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.model.message import DeadLetter, Message, OptOutChange, Receipt, ReceiptState
from messaging.simulator.bandwidth.errors import DESCRIPTIONS
from messaging.sms.account import Received
from messaging.sms.errors import Kind
from messaging.sms.providers.bandwidth.errors import of_code
from messaging.sms.providers.bandwidth.webhook import read_callback
from tests.support.sms.providers.bandwidth_events import OURS, PHONE, event, read


@pytest.mark.parametrize("kind", ["message-delivered", "message-read"])
def test_what_arrived_is_a_receipt_with_its_segments(kind: str) -> None:
    (got,) = read(event(kind))
    assert got == Receipt(
        via="bandwidth",
        network_id="m1",
        state=ReceiptState.DELIVERED,
        at=datetime(2026, 11, 1, 10, tzinfo=UTC),
        billed_units=2,
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
    assert (receipt.reason, receipt.billed_units) == (meaning.reason, None)
    assert bool(receipt.retry_after_seconds) is (meaning.kind is Kind.PASSING)
    consents = [(c.sender.value, c.recipient.value) for c in got[1:] if isinstance(c, OptOutChange)]
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
    assert isinstance(got, DeadLetter)
    assert json.loads(got.raw) == strange
    assert got.reason
    assert "<" not in got.reason
    assert len(got.reason) < 120


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 60_000, b"7" * 5000, b"NaNNaN"])
def test_a_body_that_is_not_json_is_kept(body: bytes) -> None:
    (got,) = read_callback(body, "bandwidth", media_links=True)
    assert isinstance(got, DeadLetter)
    assert got.raw == body


@pytest.mark.parametrize("kind", ["message-delivered", "message-failed"])
def test_news_of_no_message_is_kept(kind: str) -> None:
    (got,) = read(event(kind, errorCode=4700, message={"id": None}))
    assert isinstance(got, DeadLetter)


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
    for got in read_callback(body, "bandwidth", media_links=True):
        stored(got)


@given(st.binary(max_size=300) | JSON.map(lambda found: json.dumps(found).encode()))
def test_any_body_becomes_something_that_can_be_stored(body: bytes) -> None:
    for got in read_callback(body, "bandwidth", media_links=True):
        stored(got)


def stored(got: Received) -> None:
    if isinstance(got, Receipt):
        assert got.network_id.encode()
        assert got.reason or got.state is ReceiptState.DELIVERED
        return
    assert len(got.id) == 32
    assert "\0" not in got.sender.value
    assert got.sender.value.encode() or isinstance(got, DeadLetter)
    if isinstance(got, Message):
        assert got.text.strip()
        assert "\0" not in got.text
        got.text.encode()
