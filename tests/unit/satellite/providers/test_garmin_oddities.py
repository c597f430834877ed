"""Whatever Garmin posts beside plain texts is read, or kept whole: media, places, nonsense."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.model.message import DeadLetter, DeviceReport, Message
from messaging.satellite.codecs.protobuf import Text, Undecodable
from messaging.satellite.providers.garmin.event_codes import MEANINGS
from messaging.satellite.providers.garmin.webhook import packets_of
from messaging.satellite.uplink import offers
from tests.support.satellite.garmin_server import IMEI
from tests.support.satellite.providers.garmin_posts import (
    AT,
    BOB,
    NOW_MS,
    PLAIN,
    body,
    event,
    only,
    raw,
)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("image/avif", "[1 picture left out]"),
        ("audio/ogg", "[1 recording left out]"),
        ("text/x", "[1 attachment left out]"),
    ],
)
def test_media_are_noted_and_what_was_said_in_them_is_delivered(kind: str, words: str) -> None:
    packet = only(
        text="", to=[BOB.value], media_type=kind, media_bytes="AAAA", transcription="Help is near"
    )
    assert packet.texts == (Text(f"Help is near\n{words}", BOB),)


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ({"latitude": 0, "longitude": 0, "altitude": 0, "gpsFix": 0}, None),
        ({"latitude": 0, "longitude": 0}, None),
        ({"latitude": 0, "longitude": 0, "gpsFix": 2}, (0, 0)),
        ({"latitude": 1, "longitude": 2, "gpsFix": 0}, (1, 2)),
        ({"latitude": 91, "longitude": 2, "gpsFix": 2}, None),
        ({"latitude": "47", "longitude": 2, "gpsFix": 2}, None),
        ({"latitude": True, "longitude": 2, "gpsFix": 2}, None),
        ({"latitude": 10**400, "longitude": 2, "gpsFix": 2}, None),
        ({"latitude": float("nan"), "longitude": 2, "gpsFix": 2}, None),
        ({"longitude": 2, "gpsFix": 2}, None),
        ([1, 2], None),
        (None, None),
    ],
)
def test_a_place_is_kept_if_there_is_one(point: Any, expected: tuple[float, float] | None) -> None:
    (packet,) = raw({"imei": IMEI, "messageCode": 0, "timeStamp": NOW_MS, "point": point})
    found = packet.position and (packet.position.latitude, packet.position.longitude)
    assert found == expected
    assert [type(one) for one in offers(packet, "garmin")] == ([DeviceReport] if expected else [])


@pytest.mark.parametrize("stamp", [None, 0, -1, 10**30, "1790000000123", True, float("inf")])
def test_a_time_that_is_none_hides_nothing(stamp: Any) -> None:
    (packet,) = raw(
        {
            "imei": IMEI,
            "messageCode": 3,
            "timeStamp": stamp,
            "freeText": "hello",
            "addresses": [{"address": BOB.value}],
        }
    )
    assert packet.texts == (Text("hello", BOB),)
    assert packet.sent_at in (None, AT) or packet.sent_at.year == 1969


@pytest.mark.parametrize(
    "content",
    [b"", b"no json", b"[]", b"7", b"null", b"{}", b'{"Events": {}}', b"\xff", b"[" * 100_000],
)
def test_a_post_that_makes_no_sense_is_kept_whole(content: bytes) -> None:
    (packet,) = packets_of(content, PLAIN)
    (kept,) = offers(packet, "garmin")
    assert isinstance(kept, DeadLetter)
    assert kept.raw == content


BROKEN: list[Any] = [
    None,
    7,
    "event",
    [],
    {},
    {"imei": IMEI},
    {"imei": IMEI, "messageCode": None},
    {"imei": IMEI, "messageCode": "three"},
    {"imei": IMEI, "messageCode": "-3"},
    {"imei": IMEI, "messageCode": "\u0664"},
    {"imei": IMEI, "messageCode": 4.5},
    {"imei": IMEI, "messageCode": True},
    {"messageCode": 3},
    {"imei": "77", "messageCode": 3},
    {"imei": [IMEI], "messageCode": 3, "freeText": "hello"},
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_bad_event_is_kept_and_hides_no_other(broken: Any) -> None:
    good = json.loads(body(event(text="hello", to=[BOB.value])))["Events"][0]
    bad, after = raw(broken, good)
    assert isinstance(offers(bad, "garmin")[0], DeadLetter)
    assert json.loads(bad.raw) == broken
    assert after.texts == (Text("hello", BOB),)


def test_no_events_are_nothing() -> None:
    assert raw() == []


@pytest.mark.parametrize("typed", ["", "nobody", "7", 7, {"address": None}, "a@b@c", "+1"])
def test_a_bad_address_hides_no_other(typed: Any) -> None:
    addresses = [typed if isinstance(typed, dict) else {"address": typed}, {"address": BOB.value}]
    (packet,) = raw({"imei": IMEI, "messageCode": 3, "freeText": "hi", "addresses": addresses})
    assert packet.texts
    assert packet.texts[-1] == Text("hi", BOB)
    assert all(isinstance(one, Undecodable) for one in packet.texts[:-1])


def test_letters_that_no_store_can_hold_are_replaced() -> None:
    (packet,) = raw(
        {"imei": IMEI, "messageCode": 3, "freeText": "a\0b\ud800", "addresses": [BOB.value]}
    )
    assert packet.texts == (Text("ab?", BOB),)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


FIELDS = [
    "freeText",
    "timeStamp",
    "addresses",
    "point",
    "status",
    "payload",
    "mediaType",
    "mediaId",
    "transcription",
]


SOME = st.fixed_dictionaries(
    {"imei": st.just(IMEI) | JSON, "messageCode": st.sampled_from([*MEANINGS, 70]) | JSON},
    optional={field: JSON for field in FIELDS}
    | {
        "addresses": st.lists(st.fixed_dictionaries({"address": st.text() | JSON})),
        "point": st.dictionaries(st.sampled_from(["latitude", "longitude", "gpsFix"]), JSON),
    },
)


@given(st.lists(SOME | JSON))
def test_no_event_is_too_strange_to_be_read(events: list[Any]) -> None:
    packets = packets_of(json.dumps({"Events": events}).encode(), PLAIN)
    assert len(packets) >= len(events)
    for packet in packets:
        for offer in offers(packet, "garmin"):
            assert offer.id
            if isinstance(offer, Message):
                assert "\0" not in offer.text


@given(st.binary())
def test_no_body_is_too_strange_to_be_read(content: bytes) -> None:
    packets_of(content, PLAIN)
