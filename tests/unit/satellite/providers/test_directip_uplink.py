"""What Iridium's gateway brings: frames to packets, on bytes alone."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.satellite.account import Packet
from messaging.satellite.providers.directip.frames import (
    START_BYTES,
    Malformed,
    body_bytes,
    elements_of,
    frame_of,
    is_imei,
)
from messaging.satellite.providers.directip.uplink import confirmation, packet_of
from messaging.simulator.directip.wire import DirectIpSession, is_yes

IMEI = "300434060000000"
AT = datetime(2026, 1, 1, tzinfo=UTC)
VECTOR = bytes.fromhex(
    "010035"
    "01001c00000001333030343334303630303030303030" + "00002a00006955b900"
    "03000b0125" + "9b647a624c00000005"
    "02000568656c6c6f"
)
SESSION = DirectIpSession(
    reference=1,
    imei=IMEI,
    momsn=42,
    at=AT,
    payload=b"hello",
    latitude=37 + 39.780 / 60,
    longitude=-(122 + 25.164 / 60),
    cep_km=5,
)


def read(frame: bytes, max_error_km: float = 10) -> Packet:
    assert body_bytes(frame[:START_BYTES]) == len(frame) - START_BYTES
    return packet_of(frame[START_BYTES:], max_error_km)


def test_the_known_frame_is_read() -> None:
    packet = read(VECTOR)
    assert (packet.serial, packet.payload, packet.raw) == (IMEI, b"hello", b"hello")
    assert packet.texts is None
    assert packet.sent_at == AT
    assert packet.position is not None
    assert packet.position.latitude == pytest.approx(37.663)
    assert packet.position.longitude == pytest.approx(-122.4194)
    assert packet.position.at == AT
    assert packet.id == f"{IMEI} 42 {int(AT.timestamp())} 1"


def test_the_simulator_writes_the_known_frame() -> None:
    assert SESSION.frame() == VECTOR


def test_the_answers_are_the_known_ones() -> None:
    assert confirmation(True) == bytes.fromhex("01000405000101")
    assert confirmation(False) == bytes.fromhex("01000405000100")
    assert is_yes(confirmation(True))
    assert not is_yes(confirmation(False))


def test_elements_that_no_guide_knows_are_skipped() -> None:
    assert read(replace(SESSION, unknown=b"tomorrow").frame()) == read(VECTOR)


def test_a_location_may_be_longer_than_what_it_says() -> None:
    assert read(replace(SESSION, location_bytes=20).frame()) == read(VECTOR)


@pytest.mark.parametrize("status", [0, 1, 2, 10, 12, 13, 14, 15])
def test_a_session_without_a_payload_is_about_the_device_only(status: int) -> None:
    packet = read(replace(SESSION, payload=b"", status=status).frame())
    assert packet.texts == ()
    assert packet.position is not None


def test_a_place_that_is_too_coarse_is_not_kept() -> None:
    assert read(replace(SESSION, cep_km=11).frame()).position is None
    near = read(replace(SESSION, cep_km=5).frame()).position
    assert near
    assert near.accuracy_meters == 5000
    assert read(replace(SESSION, cep_km=11).frame(), 50).position is not None


def test_the_same_session_has_the_same_name_and_another_one_another() -> None:
    names = {
        read(one.frame()).id
        for one in (
            SESSION,
            replace(SESSION, payload=b""),
            replace(SESSION, momsn=43),
            replace(SESSION, reference=2),
            replace(SESSION, imei="300434060000001"),
            replace(SESSION, at=datetime(2026, 1, 2, tzinfo=UTC)),
        )
    }
    assert len(names) == 5


BROKEN = {
    "nothing": b"",
    "no header": frame_of((2, b"hello"))[START_BYTES:],
    "a short header": frame_of((1, b"short"), (2, b"hello"))[START_BYTES:],
    "letters for an IMEI": VECTOR[START_BYTES:].replace(b"3004", b"3oo4"),
    "cut off": VECTOR[START_BYTES:-1],
    "half an element": VECTOR[START_BYTES:] + b"\x07\x00",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_is_kept_for_people(body: bytes) -> None:
    packet = packet_of(body, 10)
    assert (packet.payload, packet.texts, packet.raw) == (None, None, body)
    assert packet.id


@pytest.mark.parametrize("start", [b"", b"\x01\x00", b"\x02\x00\x00", b"GET"])
def test_what_begins_no_frame_is_no_frame(start: bytes) -> None:
    with pytest.raises(Malformed):
        body_bytes(start)


def test_an_imei_has_fifteen_ascii_digits() -> None:
    assert is_imei(IMEI)
    assert not any(map(is_imei, ("", "30043406000000", f"{IMEI}0", "٣" * 15, f"{IMEI}\n")))


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_packet(body: bytes) -> None:
    packet = packet_of(body, 10)
    assert packet.id
    assert packet.payload or packet.texts == () or packet.raw == body


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300)), max_size=6))
def test_what_is_framed_is_read_again(elements: list[tuple[int, bytes]]) -> None:
    frame = frame_of(*elements)
    assert body_bytes(frame[:START_BYTES]) == len(frame) - START_BYTES
    assert elements_of(frame[START_BYTES:]) == dict(reversed(elements))


@given(
    st.builds(
        DirectIpSession,
        reference=st.integers(0, 2**32 - 1),
        imei=st.text("0123456789", min_size=15, max_size=15),
        momsn=st.integers(0, 65_535),
        mtmsn=st.integers(0, 65_535),
        at=st.datetimes(datetime(1970, 1, 1), datetime(2106, 1, 1), timezones=st.just(UTC)),
        payload=st.binary(max_size=1960),
        status=st.integers(0, 255),
        latitude=st.floats(-90, 90),
        longitude=st.floats(-180, 180),
        cep_km=st.integers(0, 2000),
        location_bytes=st.sampled_from([11, 20]),
        unknown=st.binary(max_size=50),
    )
)
def test_whatever_the_gateway_writes_is_read_as_it_was_meant(session: DirectIpSession) -> None:
    packet = read(session.frame(), 2000)
    assert (packet.serial, packet.payload or b"") == (session.imei, session.payload)
    assert packet.sent_at == session.at.replace(microsecond=0)
    if packet.position is not None:
        assert packet.position.latitude == pytest.approx(session.latitude, abs=2e-5)
        assert packet.position.longitude == pytest.approx(session.longitude, abs=2e-5)
