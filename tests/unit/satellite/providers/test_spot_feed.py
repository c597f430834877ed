"""Pages of SPOT feeds, with everything that has been met in them."""

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.errors import Unavailable
from messaging.model.message import DeadLetter, DeviceReport, Message
from messaging.model.position import Position, Sos
from messaging.satellite.account import Packet
from messaging.satellite.codecs.protobuf import Text
from messaging.satellite.providers.spot.errors import FeedError
from messaging.satellite.providers.spot.wire import LOW_BATTERY, packets_of
from messaging.satellite.uplink import offers
from tests.support.satellite.providers.spot_items import AT, DAD, MUM, READING

TYPES = ["TRACK", "UNLIMITED-TRACK", "EXTREME-TRACK", "NEWMOVEMENT", "STOP", "POI", "STATUS"]


def item(**changes: Any) -> dict[str, Any]:
    usual = {
        "@clientUnixTime": "0",
        "id": 7,
        "messengerId": "0-8356068",
        "messengerName": "boop",
        "unixTime": int(AT.timestamp()),
        "messageType": "OK",
        "latitude": 45.5,
        "longitude": -111.5,
        "altitude": 1200,
        "batteryState": "GOOD",
        "hidden": 0,
        "messageContent": "All is well",
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def page(*items: Any) -> dict[str, Any]:
    messages = {"message": items[0] if len(items) == 1 else list(items)}
    return {"response": {"feedMessageResponse": {"count": len(items), "messages": messages}}}


def only(**changes: Any) -> Packet:
    (packet,) = packets_of(page(item(**changes)), READING)
    return packet


def test_a_message_goes_to_every_recipient_with_its_place() -> None:
    packet = only()
    assert packet.texts == (Text("All is well", MUM), Text("All is well", DAD))
    assert (packet.id, packet.serial, packet.sent_at, packet.sos) == ("7", "0-8356068", AT, None)
    assert packet.position == Position(latitude=45.5, longitude=-111.5, altitude_meters=1200, at=AT)


def test_one_message_alone_is_no_list_and_several_are() -> None:
    packets = packets_of(page(item(id=1), item(id=2)), READING)
    assert [packet.id for packet in packets] == ["1", "2"]


@pytest.mark.parametrize("kind", ["OK", "CUSTOM", "ok"])
def test_a_button_without_a_text_says_what_it_is_called(kind: str) -> None:
    packet = only(messageType=kind, messageContent=None)
    assert packet.texts == (Text(kind.upper(), MUM), Text(kind.upper(), DAD))


@pytest.mark.parametrize("kind", [*TYPES, "SOMETHING-NEW", None])
def test_other_types_are_about_the_device_only(kind: str | None) -> None:
    packet = only(messageType=kind, messageContent=None)
    assert [type(offer) for offer in offers(packet, "spot")] == [DeviceReport]


@pytest.mark.parametrize("kind", [*TYPES, "SOMETHING-NEW"])
def test_a_text_is_delivered_whatever_type_it_has(kind: str) -> None:
    assert Message in [type(offer) for offer in offers(only(messageType=kind), "spot")]


@pytest.mark.parametrize(
    ("kind", "sos"),
    [
        ("HELP", Sos.DECLARED),
        ("SOS", Sos.DECLARED),
        ("911", Sos.DECLARED),
        ("HELP-CANCEL", Sos.CANCELLED),
        ("SOS-CANCEL", Sos.CANCELLED),
    ],
)
def test_an_emergency_is_one(kind: str, sos: Sos) -> None:
    packet = only(messageType=kind, batteryState="LOW", unixTime=0)
    (beacon,) = offers(packet, "spot")
    assert isinstance(beacon, DeviceReport)
    assert (beacon.sos, beacon.text) == (sos, f"All is well\n{LOW_BATTERY}")
    assert only(messageType=kind, messageContent=None).remark == kind


def test_old_texts_are_no_news_but_places_are_kept() -> None:
    old = only(unixTime=int(AT.timestamp()) - 3601)
    assert [type(offer) for offer in offers(old, "spot")] == [DeviceReport]
    assert only(unixTime=int(AT.timestamp()) - 3599).texts


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"unixTime": None, "dateTime": "2026-01-02T03:04:05+0000"}, AT),
        ({"unixTime": None, "dateTime": "2026-01-02T04:04:05+0100"}, AT),
        ({"unixTime": None, "dateTime": "yesterday"}, None),
        ({"unixTime": 10**20, "dateTime": "2026-01-02T03:04:05+0000"}, None),
        ({"unixTime": "7"}, None),
        ({"unixTime": None}, None),
    ],
)
def test_times_are_read_as_they_come(changes: dict[str, Any], expected: datetime | None) -> None:
    packet = only(**changes)
    assert packet.sent_at == expected
    assert packet.texts


@pytest.mark.parametrize(
    "changes",
    [
        {"latitude": -99999, "longitude": -99999},
        {"latitude": 0, "longitude": 0},
        {"latitude": "north"},
        {"latitude": None},
        {"latitude": float("nan")},
        {"latitude": [1]},
        {"altitude": "high"},
    ],
)
def test_a_place_that_is_none_is_left_out(changes: dict[str, Any]) -> None:
    assert only(**changes).position is None


@pytest.mark.parametrize("altitude", [None, 0, -103000, float("inf")])
def test_a_height_that_is_none_is_left_out(altitude: Any) -> None:
    position = only(altitude=altitude).position
    assert position is not None
    assert position.altitude_meters is None


@pytest.mark.parametrize(
    "broken",
    [
        None,
        7,
        "x",
        [],
        {"id": 7},
        item(id=None),
        item(id="seven"),
        item(id=True),
        item(messengerId=None),
        item(messengerId="no id"),
    ],
)
def test_an_item_that_makes_no_sense_is_kept_once_and_hides_no_other(broken: Any) -> None:
    first, good = packets_of(page(broken, item()), READING)
    again, _ = packets_of(page(broken, item()), READING)
    (kept,) = offers(first, "spot")
    assert isinstance(kept, DeadLetter)
    assert json.loads(kept.raw) == broken
    assert first.id == again.id
    assert good.texts


def test_an_id_in_a_text_counts_as_a_number() -> None:
    [packet] = packets_of(page(item(id="7")), READING)
    assert (packet.id, packet.texts is None) == ("7", False)


def errors(code: str) -> dict[str, Any]:
    return {"response": {"errors": {"error": {"code": code, "text": "t", "description": "d"}}}}


def test_a_feed_without_messages_is_empty() -> None:
    assert packets_of(errors("E-0195"), READING) == []
    assert packets_of({"response": {"errors": {"error": [{"code": "E-0195"}]}}}, READING) == []


@pytest.mark.parametrize("code", ["E-0160", "E-0173", "E-9999", "", "E-", "nonsense"])
def test_any_other_error_is_one_and_says_its_code(code: str) -> None:
    with pytest.raises(FeedError) as caught:
        packets_of(errors(code), READING)
    assert (code if len(code) == 6 else "no code") in caught.value.reason


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "x",
        {},
        {"response": None},
        {"response": {}},
        {"response": {"feedMessageResponse": {}}},
        {"response": {"feedMessageResponse": {"messages": None}}},
        {"response": {"feedMessageResponse": {"messages": {"message": 7}}}},
    ],
)
def test_what_is_no_page_is_unavailable(answer: Any) -> None:
    with pytest.raises(Unavailable):
        packets_of(answer, READING)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


ITEM = st.fixed_dictionaries(
    {"id": st.integers() | JSON, "messengerId": st.just("0-1") | JSON},
    optional={
        name: JSON
        for name in (
            "unixTime",
            "dateTime",
            "messageType",
            "latitude",
            "longitude",
            "altitude",
            "batteryState",
            "messageContent",
        )
    },
)


@given(st.lists(ITEM | JSON, min_size=2))
def test_no_item_is_too_strange_to_be_read(items: list[Any]) -> None:
    packets = packets_of(page(*items), READING)
    assert len(packets) == len(items)
    for packet in packets:
        assert all(offer.id for offer in offers(packet, "spot"))


@given(JSON)
def test_no_answer_is_too_strange_to_be_refused(answer: Any) -> None:
    for strange in (answer, {"response": answer}):
        with pytest.raises(Unavailable):
            packets_of(strange, READING)
