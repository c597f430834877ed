"""What RockBLOCK posts, read from bytes: whatever is authentic is kept, and nothing else."""

import base64
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.model.message import DeadLetter
from messaging.model.webhook import NotAuthentic
from tests.support.satellite.ground_control import (
    IMEI,
    SECRET,
    gateway,
    rockblock,
)
from tests.support.satellite.providers.rockblock_posts import account, facts, packet_of, webhook
from tests.support.sms.twilio_gateway import Router


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 60_000, b"a=b&" * 500, b"null", b"{}"]
)
def test_an_authentic_body_that_makes_no_sense_is_kept(body: bytes) -> None:
    found = packet_of(account(webhook_secret=SECRET), body, f"/{SECRET}")
    assert (found.payload, found.raw) == (None, body)


_values = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.integers(),
    st.floats(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.booleans(),
)


_fields = st.dictionaries(
    st.sampled_from([*facts(), "id", "at", "txAt", "lat", "lon", "alt", "battery", "cep", "x"]),
    _values,
)


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=300), _fields.map(lambda f: json.dumps({**facts(), **f}))))
def test_whatever_comes_with_the_secret_is_a_packet(body: bytes | str) -> None:
    raw = body if isinstance(body, bytes) else body.encode()
    found = packet_of(account(webhook_secret=SECRET), raw, f"/{SECRET}")
    assert found.id
    assert found.payload or found.raw == raw
    assert found.sent_at is None or found.sent_at.utcoffset() == timedelta(0)


@settings(max_examples=300)
@given(
    body=st.one_of(
        st.binary(max_size=300),
        st.text(max_size=300).map(lambda token: json.dumps({"JWT": token}).encode()),
        st.tuples(st.binary(max_size=30), st.binary(max_size=30), st.binary(max_size=30)).map(
            lambda parts: json.dumps(
                {"JWT": ".".join(base64.urlsafe_b64encode(p).decode() for p in parts)}
            ).encode()
        ),
    )
)
def test_whatever_comes_without_a_good_token_is_not_authentic(body: bytes) -> None:
    with pytest.raises(NotAuthentic):
        account().parse(webhook(body), "")


def test_a_deep_header_is_not_authentic_either() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 40_000).decode()
    with pytest.raises(NotAuthentic):
        account().parse(webhook({"JWT": f"{deep}.e30.x"}), "")


def test_a_webhook_that_is_too_large_is_refused() -> None:
    router = Router()
    with rockblock() as server, gateway(router, server.account_with_key()) as url:
        assert httpx.post(url, content=b"x" * 70_000, trust_env=False).status_code == 413
    assert router.all() == []


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"iridium_cep": 10}, 1),
        ({"iridium_cep": 11}, 0),
        ({"iridium_cep": None}, 0),
        ({"iridium_latitude": 0.0, "iridium_longitude": 0.0}, 0),
        ({"iridium_latitude": 91}, 0),
        ({"iridium_latitude": "nan"}, 0),
        ({"iridium_cep": 500, "lat": "51.5", "lon": "-3.1"}, 1),
    ],
)
def test_a_position_that_is_too_coarse_or_none_is_left_out(
    changes: dict[str, Any], places: int
) -> None:
    used = account(webhook_secret=SECRET)
    found = packet_of(used, facts(**changes), f"/{SECRET}")
    assert (found.position is not None) == bool(places)


def test_momsn_zero_is_a_number_like_any_other() -> None:
    found = packet_of(account(webhook_secret=SECRET), facts(momsn=0), f"/{SECRET}")
    assert found.id == f"{IMEI} 0 21-10-31 10:41:50"


def test_a_number_that_begins_again_in_a_new_modem_is_another_message() -> None:
    used = account(webhook_secret=SECRET)
    first = packet_of(used, facts(), f"/{SECRET}")
    again = packet_of(used, facts(transmit_time="21-10-31 10:41:51"), f"/{SECRET}")
    assert first.id != again.id


def test_everything_stored_by_an_unreadable_webhook_can_be_looked_up() -> None:
    router = Router()
    with (
        rockblock() as server,
        gateway(router, server.account_with_key(webhook_secret=SECRET)) as url,
    ):
        answer = httpx.post(f"{url}/{SECRET}", content=b"nonsense=1", trust_env=False)
    assert answer.status_code == 200
    (kept,) = router.all()
    assert isinstance(kept, DeadLetter)
    assert kept.raw == b"nonsense=1"
