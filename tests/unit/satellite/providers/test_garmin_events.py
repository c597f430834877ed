"""What Garmin posts, in every version and with every code: read, and never lost."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from messaging.model.message import Address, DeadLetter, DeviceReport, Message, Network
from messaging.model.position import Position, Sos
from messaging.satellite.codecs.protobuf import Text, encode
from messaging.satellite.providers.garmin.event_codes import MEANINGS, PREDEFINED
from messaging.satellite.providers.garmin.webhook import (
    LOW_BATTERY,
    NO_RECIPIENT,
    EventContext,
    packets_of,
)
from messaging.satellite.uplink import offers
from messaging.simulator.garmin.wire import Version
from tests.support.satellite.garmin_server import IMEI, OTHER_IMEI
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

VERSIONS: tuple[Version, ...] = ("2.0", "3.0", "4.0")


PLACE: dict[str, Any] = {"latitude": 47.5, "longitude": -3.25, "altitude": 12, "fix": 2}


POSITION = Position(latitude=47.5, longitude=-3.25, altitude_meters=12, at=AT)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("nulls", [True, False])
def test_a_text_is_read_in_every_version_with_its_place(version: Version, nulls: bool) -> None:
    sent = event(text="Anchored at noon ⚓", to=[BOB.value, "+1 (555) 123-0000"], **PLACE)
    (packet,) = packets_of(body(sent, version=version, nulls=nulls), PLAIN)
    assert packet.serial == IMEI
    assert packet.texts == (
        Text("Anchored at noon ⚓", BOB),
        Text("Anchored at noon ⚓", Address(Network.SMS, "+15551230000")),
    )
    assert (packet.sent_at, packet.position, packet.sos) == (AT, POSITION, None)


def test_several_events_of_several_devices_come_in_their_order() -> None:
    sent = [event(text="one", to=[BOB.value]), event(imei=OTHER_IMEI, text="two", to=[BOB.value])]
    packets = packets_of(body(*sent, event(text="three", to=[BOB.value])), PLAIN)
    assert [(p.serial, p.texts) for p in packets] == [
        (IMEI, (Text("one", BOB),)),
        (OTHER_IMEI, (Text("two", BOB),)),
        (IMEI, (Text("three", BOB),)),
    ]


def test_an_event_that_names_several_devices_is_one_of_each() -> None:
    packets = packets_of(body(event(imei=f"{IMEI}, {OTHER_IMEI}")), PLAIN)
    assert [packet.serial for packet in packets] == [IMEI, OTHER_IMEI]
    assert len({packet.id for packet in packets}) == 2


PROTOBUF = base64.b64encode(encode([Text("hello", BOB)], from_device=True)).decode()


def outcome(code: int, **given: Any) -> list[type]:
    """What the router is offered for an event with a place, a text and an address."""
    said = {"text": "hello", "to": [BOB.value], "payload": PROTOBUF, **PLACE, **given}
    return [type(one) for one in offers(only(code=code, **said), "garmin")]


TABLE: dict[int, list[type]] = {
    **{key: [DeviceReport] for key in [0, 1, 2, 5, 8, 9, 10, 11, 12, 13, 17, 20, 21, 65, 68, 69]},
    **{key: [DeviceReport, Message] for key in [3, 14, 15, 16, 3099, *PREDEFINED]},
    **{key: [DeviceReport, Message] for key in [4, 6, 7]},
}


def test_the_table_is_whole() -> None:
    assert {*TABLE, 64, 66, 67} == MEANINGS.keys()
    assert list(PREDEFINED) == [*range(24, 64)]


@pytest.mark.parametrize("code", sorted(TABLE))
def test_every_code_has_its_outcome(code: int) -> None:
    silent = TABLE[code] == [DeviceReport]
    said: dict[str, Any] = {"text": None, "to": []} if silent else {}
    assert outcome(code, **said) == TABLE[code]


@pytest.mark.parametrize("code", sorted({*TABLE, 70, 4242}))
def test_a_text_for_somebody_is_delivered_whatever_code_it_has(code: int) -> None:
    assert Message in outcome(code)


@pytest.mark.parametrize(
    ("code", "sos"), [(4, Sos.DECLARED), (6, Sos.CONFIRMED), (7, Sos.CANCELLED)]
)
def test_an_emergency_says_so_with_what_was_typed(code: int, sos: Sos) -> None:
    packet = only(code=code, text="Broken leg", low_battery=1, **PLACE)
    (beacon,) = offers(packet, "garmin")
    assert isinstance(beacon, DeviceReport)
    assert (beacon.sos, beacon.position, beacon.at) == (sos, POSITION, AT)
    assert beacon.text == f"Broken leg\n{LOW_BATTERY}"


@pytest.mark.parametrize(("level", "is_low"), [(0, None), (1, True), (2, None)])
def test_a_low_battery_on_a_track_point_is_reported(level: int, is_low: bool | None) -> None:
    packet = only(code=0, text=None, to=[], low_battery=level, **PLACE)
    (report,) = offers(packet, "garmin")
    assert isinstance(report, DeviceReport)
    assert (report.battery_low, report.position) == (is_low, POSITION)


@pytest.mark.parametrize("imei", ["", "77", "no imei at all", None])
def test_an_emergency_of_no_device_is_still_one(imei: Any) -> None:
    (packet,) = raw({"imei": imei, "messageCode": 4})
    (beacon,) = offers(packet, "garmin")
    assert isinstance(beacon, DeviceReport)
    assert (beacon.sos, beacon.sender.value) == (Sos.DECLARED, "unknown")


def test_two_emergencies_are_two_and_the_same_one_again_is_one() -> None:
    first, again = only(code=4, at_ms=NOW_MS), only(code=4, at_ms=NOW_MS)
    later, cancelled = only(code=4, at_ms=NOW_MS + 1), only(code=7, at_ms=NOW_MS)
    assert first.id == again.id
    assert len({first.id, later.id, cancelled.id}) == 3


def test_emergencies_come_first_in_their_order_whatever_else_is_in_the_post() -> None:
    codes = [3, 4, 0, 7, 3]
    packets = packets_of(body(*(event(code=code, at_ms=NOW_MS + code) for code in codes)), PLAIN)
    assert [packet.sos for packet in packets] == [Sos.DECLARED, Sos.CANCELLED, None, None, None]


@pytest.mark.parametrize("code", ["4", " 4 ", "04"])
def test_a_code_that_is_written_as_a_text_is_still_an_emergency(code: str) -> None:
    (packet,) = raw({"imei": IMEI, "messageCode": code, "timeStamp": str(NOW_MS)})
    assert (packet.sos, packet.sent_at) == (Sos.DECLARED, AT)


@pytest.mark.parametrize("code", [3, 4, 66])
def test_what_has_no_time_is_the_same_again_only_for_a_while(code: int) -> None:
    sent = {"imei": IMEI, "messageCode": code, "freeText": "hello", "payload": PROTOBUF}

    def named(minutes: float) -> str:
        received_at = AT.replace(minute=0, second=0) + timedelta(minutes=minutes)
        reading = EventContext(predefined={}, received_at=received_at)
        (packet,) = packets_of(json.dumps({"Events": [sent]}).encode(), reading)
        return packet.id

    assert named(1) == named(4)
    assert named(1) != named(11)
    assert named(1) != named(24 * 60 + 1)


@pytest.mark.parametrize("code", [14, 15, 16, *PREDEFINED])
def test_a_button_says_what_the_operator_wrote_down_for_it(code: int) -> None:
    told = EventContext(predefined={code: "All is well"})
    assert only(told, code=code, text=None, to=[BOB.value]).texts == (Text("All is well", BOB),)
    assert only(told, code=code, text="Typed", to=[BOB.value]).texts == (Text("Typed", BOB),)
    untold = only(code=code, text="", to=[BOB.value]).texts
    assert untold
    (text,) = untold
    assert isinstance(text, Text)
    assert str(code if code in PREDEFINED else code - 13) in text.text


@pytest.mark.parametrize("code", [3, 9, 14, 3099, 70])
def test_a_text_without_a_recipient_is_kept_for_people(code: int) -> None:
    (kept,) = offers(only(code=code, text="To whom?"), "garmin")
    assert isinstance(kept, DeadLetter)
    assert kept.reason == NO_RECIPIENT
    assert b"To whom?" in kept.raw


@pytest.mark.parametrize("version", VERSIONS)
def test_generic_bytes_are_read_as_the_devices_own_format(version: Version) -> None:
    packet = only(version=version, code=66, payload=PROTOBUF)
    (message,) = offers(packet, "garmin")
    assert isinstance(message, Message)
    assert (message.text, message.recipient) == ("hello", BOB)
    assert packet.sent_at == (AT if version == "4.0" else None)


@pytest.mark.parametrize("code", [64, 67])
@pytest.mark.parametrize("payload", [PROTOBUF, None, "%%%"])
def test_bytes_that_no_codec_can_read_are_kept(code: int, payload: str | None) -> None:
    (kept,) = offers(only(code=code, payload=payload), "garmin")
    assert isinstance(kept, DeadLetter)
    assert MEANINGS[code].name in kept.reason
    if payload:
        assert payload.encode() in kept.raw


@pytest.mark.parametrize("payload", [None, "", "%%%", 7, base64.b64encode(b"\xff\x00").decode()])
def test_generic_bytes_of_another_format_are_kept(payload: Any) -> None:
    (packet,) = raw({"imei": IMEI, "messageCode": 66, "payload": payload})
    (kept,) = offers(packet, "garmin")
    assert isinstance(kept, DeadLetter)
