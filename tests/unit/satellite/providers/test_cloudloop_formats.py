"""What Cloudloop posts, in each of its formats, read from bytes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.config.env import read
from messaging.model.message import Position, Receipt, ReceiptState
from messaging.model.webhook import NotAuthentic, Webhook
from messaging.satellite.account import Packet
from messaging.satellite.providers.cloudloop.account import CloudloopAccount
from tests.support.examples import examples
from tests.support.satellite.ground_control import (
    IMEI,
    SECRET,
    THING,
)

AT = {"year": 2023, "month": 10, "day": 2, "hour": 15, "minute": 37, "second": 8}


PATH = f"/satellite/cloudloop/cloudloop/{SECRET}"


def account(**more: Any) -> CloudloopAccount:
    return read(CloudloopAccount, token="t", webhook_secret=SECRET, **more)


def lingo(**changes: Any) -> dict[str, Any]:
    """The example of Cloudloop's page "Lingo", with another payload."""
    fields = {
        "id": "38f132ed-73e7-4488-a743-ec00fe7d7879",
        "receivedAt": {**AT, "second": 9},
        "identity": {
            "accountId": "yJGjpPobLlmOdanVkPWAKYzNMgwVZkrR",
            "identifier": IMEI,
            "thingId": THING,
            "hardware": {"imei": IMEI, "serial": "1234"},
        },
        "sbd": {
            "imei": IMEI,
            "momsn": 5394,
            "sessionAt": AT,
            "status": "SESSION_STATUS_OK",
            "location": {"latitude": 50.898133333333334, "longitude": -1.19466, "cep": 3},
        },
        "message": "SGVsbG8=",
        "signature": "",
    }
    return {**fields, **changes}


def brought(content: Any, path: str = PATH, **more: Any) -> Packet | Receipt:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    webhook = Webhook(path=path, query="", headers={}, body=body)
    (found,) = account(**more).parse(webhook, "https://example.org")
    return found


def packet(content: Any, **more: Any) -> Packet:
    found = brought(content, **more)
    assert isinstance(found, Packet)
    return found


def test_the_example_of_the_documentation_is_read() -> None:
    at = datetime(2023, 10, 2, 15, 37, 8, tzinfo=UTC)
    assert packet(lingo()) == Packet(
        id="38f132ed-73e7-4488-a743-ec00fe7d7879",
        serial=THING,
        payload=b"Hello",
        raw=b"Hello",
        sent_at=at,
        position=Position(
            latitude=50.898133333333334, longitude=-1.19466, accuracy_meters=3000, at=at
        ),
    )


def test_an_imt_message_has_its_time_of_receipt_and_no_place() -> None:
    content = lingo(imt={"topic": "IMT_TOPIC_PURPLE", "size": 5})
    del content["sbd"]
    found = packet(content)
    assert (found.payload, found.position) == (b"Hello", None)
    assert found.sent_at == datetime(2023, 10, 2, 15, 37, 9, tzinfo=UTC)


@pytest.mark.parametrize("message", ["", None])
def test_a_session_without_a_message_is_about_the_device_only(message: Any) -> None:
    found = packet(lingo(message=message))
    assert found.texts == ()
    assert found.position is not None


def test_an_older_format_names_the_modem_which_the_settings_turn_into_its_thing() -> None:
    content = {
        "id": "38f132ed",
        "imei": IMEI,
        "momsn": 1,
        "transmit_time": "2023-10-02T15:37:08Z",
        "iridium_latitude": 50.9,
        "iridium_longitude": -1.2,
        "cep": 3,
        "data": "48656c6c6f",
    }
    found = packet(content, things=f"{IMEI}={THING}")
    assert (found.serial, found.payload) == (THING, b"Hello")
    assert found.id == f"{IMEI} 38f132ed"
    assert found.sent_at == datetime(2023, 10, 2, 15, 37, 8, tzinfo=UTC)
    assert found.position is not None
    assert packet(content).serial == IMEI


@pytest.mark.parametrize(
    ("changes", "serial"),
    [
        ({"identity": {"thingId": THING, "identifier": IMEI}}, THING),
        ({"identity": {"thingId": None, "identifier": IMEI}}, IMEI),
        ({"identity": {}}, ""),
        ({"identity": {"thingId": "a b\0"}}, ""),
        ({"id": None}, THING),
        ({"id": {"x": 1}}, THING),
        ({"message": "%%%"}, THING),
        ({"message": 5}, THING),
    ],
)
def test_what_cannot_be_read_is_kept_whole(changes: dict[str, Any], serial: str) -> None:
    body = json.dumps(lingo(**changes)).encode()
    found = packet(body)
    assert found.serial == serial
    readable = "identity" in changes and serial
    assert (found.payload, found.raw) == ((b"Hello", b"Hello") if readable else (None, body))


@pytest.mark.parametrize(
    ("status", "error", "state", "reason"),
    [
        ("DELIVERY_SUBMITTED", None, ReceiptState.ON_ITS_WAY, ""),
        ("DELIVERY_ERROR", "DELIVERY_ERROR_UNKNOWN", ReceiptState.FAILED, "could not deliver"),
        (
            "DELIVERY_ERROR",
            "DELIVERY_ERROR_INVALID_IDENTIFIER",
            ReceiptState.FAILED,
            "does not know this device",
        ),
        (
            "DELIVERY_ERROR",
            "DELIVERY_ERROR_INVALID_MESSAGE",
            ReceiptState.FAILED,
            "calls the packet invalid",
        ),
        ("DELIVERY_ERROR", "OF_TOMORROW", ReceiptState.FAILED, "could not deliver"),
        ("DELIVERY_ERROR", None, ReceiptState.FAILED, "could not deliver"),
    ],
)
def test_a_report_of_delivery_is_a_receipt(
    status: str, error: str | None, state: ReceiptState, reason: str
) -> None:
    found = brought({"id": "MT7", "status": status, "error": error, "at": AT})
    assert isinstance(found, Receipt)
    assert (found.via, found.network_id, found.state) == ("cloudloop", "MT7", state)
    assert found.at == datetime(2023, 10, 2, 15, 37, 8, tzinfo=UTC)
    assert reason in found.reason
    assert bool(reason) == bool(found.reason)


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff", b"[" * 60_000, b"null", b"{}"])
def test_an_authentic_body_that_makes_no_sense_is_kept(body: bytes) -> None:
    found = packet(body)
    assert (found.payload, found.raw) == (None, body)


_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["thingId", "identifier", "location", "cep", "latitude", *AT]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=examples(400))
@given(
    st.one_of(
        st.binary(max_size=300),
        st.dictionaries(st.sampled_from([*lingo(), "status", "imei", "data"]), _values).map(
            lambda changes: json.dumps(lingo(**changes)).encode()
        ),
        st.dictionaries(st.sampled_from([*lingo(), "status", "imei", "data"]), _values).map(
            lambda fields: json.dumps(fields).encode()
        ),
    )
)
def test_whatever_comes_with_the_secret_is_a_packet_or_a_receipt(body: bytes) -> None:
    found = brought(body)
    if isinstance(found, Packet):
        assert found.id
        assert found.payload or found.raw == body
        assert found.sent_at is None or found.sent_at.utcoffset() == timedelta(0)
    else:
        assert found.network_id


@given(st.text(), st.binary(max_size=50))
def test_no_other_path_is_authentic(path: str, body: bytes) -> None:
    with pytest.raises(NotAuthentic):
        brought(body, path=path)
