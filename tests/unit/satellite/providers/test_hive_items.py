import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.satellite.account import Packet
from messaging.satellite.providers.hive.wire import packets_of

HELLO = Packet("5", "9", b"hello", b"hello")


def item(**changes: Any) -> dict[str, Any]:
    usual = {
        "packetId": 5,
        "deviceType": 1,
        "deviceId": 9,
        "data": base64.b64encode(b"hello").decode(),
        "status": 0,
        "hiveRxTime": "2026-01-02T03:04:05",
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


@pytest.mark.parametrize(
    "listed",
    [
        item(messageId=5),
        item(packetId=None, messageId=5),
        item(hiveRxTime="2026-01-02T03:04:05.678Z"),
        item(hiveRxTime=None),
        item(hiveRxTime="yesterday"),
        item(status=None),
        item(deviceName="F-0x009", surprise={"new": [1]}),
    ],
)
def test_items_of_every_age_are_read(listed: dict[str, Any]) -> None:
    assert packets_of([listed]) == [HELLO]


@pytest.mark.parametrize("data", [None, "%%%", "aGVsbG8", 5, ["x"], "hé"])
def test_an_item_whose_data_is_no_base64_keeps_its_raw_form(data: Any) -> None:
    (packet,) = packets_of([item(data=data)])
    assert packet.payload is None
    assert b'"packetId": 5' in packet.raw


@pytest.mark.parametrize(
    "listed", [item(packetId=0, deviceId=0), item(packetId=None), item(status=2), 7, None, "x"]
)
def test_an_item_that_is_no_packet_does_not_hide_the_others(listed: Any) -> None:
    assert packets_of([listed, item()]) == [HELLO]


def test_a_page_is_sorted_by_time_whether_it_has_a_zone_or_not() -> None:
    page = [
        item(packetId=1, hiveRxTime="2026-01-02T03:04:06"),
        item(packetId=2, hiveRxTime="2026-01-02T03:04:05.100Z"),
        item(packetId=4, hiveRxTime="2026-01-02T03:04:05"),
        item(packetId=3, hiveRxTime="2026-01-02T03:04:05"),
    ]
    assert [packet.id for packet in packets_of(page)] == ["3", "4", "2", "1"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
FIELDS = ["packetId", "messageId", "deviceId", "data", "status", "hiveRxTime"]


@given(st.lists(JSON | st.dictionaries(st.sampled_from(FIELDS), JSON)))
def test_no_list_is_too_strange_to_be_read(items: list[Any]) -> None:
    for packet in packets_of(items):
        assert packet.id
