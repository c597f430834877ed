"""Messages to devices and what Iridium's gateway answers, on bytes alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.errors import GatewayError, Rejected, Unavailable, Uncertain
from messaging.satellite.providers.directip.downlink import Flags, request, status_of
from messaging.satellite.providers.directip.errors import probe_failure, status_failure
from messaging.simulator.directip.wire import DirectIpRequest, request_of

IMEI = "300434060000000"
REQUEST = bytes.fromhex("01001d41001500000007333030343334303630303030303030000042" + "00026869")
QUEUED_FIRST = bytes.fromhex("01001c44001900000007333030343334303630303030303030" + "0000e4690001")
QUEUE_FULL = QUEUED_FIRST[:-6] + bytes.fromhex("00000000fffb")

CLASSES: dict[int, tuple[type[GatewayError], float | None]] = {
    -1: (Rejected, None),
    -2: (Rejected, None),
    -3: (Rejected, None),
    -4: (Rejected, None),
    -5: (Unavailable, 60),
    -6: (Unavailable, None),
    -7: (Rejected, None),
    -8: (Rejected, None),
    -9: (Unavailable, 60),
    -10: (Unavailable, 60),
    -11: (Rejected, None),
    -12: (Unavailable, 60),
    -13: (Unavailable, None),
    -32768: (Unavailable, None),
}


def test_the_known_request_is_written() -> None:
    assert request(7, IMEI, b"hi") == REQUEST


def test_the_known_answers_are_read() -> None:
    assert status_of(QUEUED_FIRST, 7, IMEI) == (58473, 1)
    assert status_of(QUEUE_FULL, 7, IMEI) == (0, -5)


def test_the_simulator_reads_and_writes_the_known_frames() -> None:
    asked = request_of(REQUEST)
    assert asked == DirectIpRequest(b"\0\0\0\7", IMEI.encode(), 0, b"hi", 5)
    assert asked.answer(58473, 1) == QUEUED_FIRST
    assert asked.answer(0, -5) == QUEUE_FULL


@pytest.mark.parametrize("status", CLASSES)
def test_every_status_has_its_class(status: int) -> None:
    error = status_failure(status, 60)
    kind, wait = CLASSES[status]
    assert type(error) is kind
    assert getattr(error, "retry_after_seconds", None) == wait


@pytest.mark.parametrize("status", [0, 1, 50, 51, 32767])
def test_what_is_queued_has_no_failure(status: int) -> None:
    assert status_failure(status, 60) is None


def test_the_probe_minds_only_what_is_about_us() -> None:
    wrong = [status for status in range(-13, 51) if probe_failure(status) is not None]
    assert wrong == [-12, -10, -6]


def test_a_priority_is_asked_for_with_its_flag() -> None:
    asked = request_of(request(7, IMEI, b"hi", Flags.FLUSH, 2))
    assert asked is not None
    assert (asked.flags, asked.priority) == (Flags.FLUSH | Flags.USE_PRIORITY, 2)


OTHERS = {
    "nothing": b"",
    "nonsense": b"<html>}{ nonsense",
    "another client": QUEUED_FIRST.replace(b"\0\0\0\7", b"\0\0\0\x08"),
    "another device": QUEUED_FIRST.replace(b"3004", b"3005"),
    "cut off": QUEUED_FIRST[:-1],
    "too long": QUEUED_FIRST + b"\0",
    "no confirmation": REQUEST,
    "another revision": b"\2" + QUEUED_FIRST[1:],
}


@pytest.mark.parametrize("frame", OTHERS.values(), ids=OTHERS)
def test_what_answers_nothing_of_ours_leaves_us_unsure(frame: bytes) -> None:
    with pytest.raises(Uncertain):
        status_of(frame, 7, IMEI)


@given(st.binary(max_size=200))
def test_any_answer_is_read_or_leaves_us_unsure(frame: bytes) -> None:
    try:
        reference, status = status_of(frame, 7, IMEI)
    except Uncertain:
        return
    assert (reference >= 0, -32768 <= status <= 32767) == (True, True)


@given(
    client_id=st.integers(0, 2**32 - 1),
    imei=st.text("0123456789", min_size=15, max_size=15),
    payload=st.binary(max_size=1890),
    priority=st.none() | st.integers(1, 5),
    reference=st.integers(0, 2**32 - 1),
    status=st.integers(-32768, 32767),
)
def test_the_gateway_reads_what_we_write_and_we_its_answer(
    client_id: int, imei: str, payload: bytes, priority: int | None, reference: int, status: int
) -> None:
    asked = request_of(request(client_id, imei, payload, Flags(0), priority))
    assert asked is not None
    assert (asked.payload, asked.imei, asked.priority) == (payload, imei.encode(), priority or 5)
    assert status_of(asked.answer(reference, status), client_id, imei) == (reference, status)


@given(st.binary(max_size=200))
def test_the_simulator_survives_any_request(frame: bytes) -> None:
    asked = request_of(frame)
    assert asked is None or isinstance(asked, DirectIpRequest)
