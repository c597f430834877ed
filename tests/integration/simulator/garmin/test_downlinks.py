"""The simulated Portal Connect takes messages to devices, or refuses them as the guide says."""

import base64
from typing import Any

import pytest

from messaging.simulator.garmin.api import FIXTURE_PREFIX
from messaging.simulator.shared.faults import Faults
from tests.support.eventually import wait_until
from tests.support.satellite.garmin_server import IMEI, OTHER_IMEI, GarminServer
from tests.support.simulator.garmin.downlinks import binary, call, message, place
from tests.support.simulator.garmin.receiver import Receiver


def test_a_message_for_two_devices_counts_twice(garmin: GarminServer) -> None:
    answer = call(garmin, "/Messaging/Message", message(Recipients=[IMEI, int(OTHER_IMEI)]))
    assert (answer.status_code, answer.json()) == (200, {"count": 2})
    got = garmin.switch("GET", "downlinks")
    assert [one["imei"] for one in got] == [IMEI, OTHER_IMEI]
    assert garmin.switch("GET", "downlinks?after=1") == got[1:]


@pytest.mark.parametrize(
    ("path", "content", "code"),
    [
        ("Messaging/Message", message(Recipients=["7"]), 4),
        ("Messaging/Message", message(Message=""), 5),
        ("Messaging/Message", message(Message="x" * 161), 5),
        ("Messaging/Message", message(Timestamp="/Date(9999999999999)/"), 6),
        ("Messaging/Message", message(Timestamp="/Date(1)/"), 6),
        ("Messaging/Message", message(Timestamp="2026-01-01"), 6),
        ("Messaging/Message", message(Sender="bob"), 7),
        ("Messaging/Message", place(Altitude=-1001), 8),
        ("Messaging/Message", place(Speed=1855), 9),
        ("Messaging/Message", place(Course=361), 10),
        ("Messaging/Message", place(Coordinate={"Latitude": 91, "Longitude": 0}), 11),
        ("Tracking/Tracking", {"Devices": [{"Imei": IMEI, "Interval": 29}]}, 12),
        ("Messaging/Message", place(LocationType=2), 13),
        ("Messaging/Message", place(Label=""), 14),
        ("Emergency/AcknowledgeDeclareEmergency", {}, 15),
        ("Messaging/Binary", binary(Type=3), 16),
        ("Messaging/Binary", binary(Payload="%"), 17),
        ("Messaging/Binary", binary(Payload=base64.b64encode(bytes(269)).decode()), 17),
    ],
)
def test_what_the_guide_refuses_is_refused(
    garmin: GarminServer, path: str, content: Any, code: int
) -> None:
    answer = call(garmin, path, content)
    assert (answer.status_code, answer.json()["Code"]) == (422, code)
    assert garmin.switch("GET", "downlinks") == []


@pytest.mark.parametrize(
    ("code", "status"), [(1, 500), (2, 429), (3, 403), *((n, 422) for n in range(4, 18))]
)
def test_every_code_can_be_had_by_a_device_number(
    garmin: GarminServer, code: int, status: int
) -> None:
    answer = call(garmin, "/Messaging/Message", message(Recipients=[f"{FIXTURE_PREFIX}{code:02}"]))
    assert (answer.status_code, answer.json()["Code"]) == (status, code)
    assert ("retry-after" in answer.headers) == (code == 2)


def test_what_is_right_is_taken(garmin: GarminServer) -> None:
    for path, content in (
        ("Messaging/Message", place()),
        ("Messaging/Message", message(Sender="+15551230000")),
        ("Messaging/Binary", binary(Payload=base64.b64encode(bytes(268)).decode())),
        ("Tracking/Tracking", {"Devices": [{"Imei": IMEI, "Interval": 30}]}),
    ):
        assert call(garmin, path, content).status_code == 200, path


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("wrong", 403)])
def test_the_key_is_checked(garmin: GarminServer, key: str | None, status: int) -> None:
    answer = call(garmin, "/Messaging/Message", message(), key)
    assert (answer.status_code, answer.json()["Code"]) == (status, 3)


@pytest.mark.parametrize("content", [{}, [], {"Messages": [{}]}, {"Messages": 7}, None])
def test_nonsense_is_a_bad_request(garmin: GarminServer, content: Any) -> None:
    assert call(garmin, "/Messaging/Message", content).status_code == 400


def test_a_call_that_there_is_not_is_not_implemented(garmin: GarminServer) -> None:
    assert call(garmin, "/Messaging/Media", {}).status_code == 501


def test_a_device_that_replies_answers_to_the_sender(
    garmin: GarminServer, receiver: Receiver
) -> None:
    garmin.switch("POST", "devices", {"imei": IMEI, "replies": True}, status=201)
    call(garmin, "/Messaging/Message", message())
    wait_until(lambda: len(receiver.bodies) == 1)
    (event,) = receiver.events()
    assert (event["messageCode"], event["freeText"]) == (3, "Re: hello")
    assert event["addresses"] == [{"address": "alice@example.net"}]


def test_faults_meet_the_api_and_not_the_switches(garmin: GarminServer) -> None:
    garmin.simulator.dice.faults = Faults(requests_per_second=0.001, retry_after_seconds=9)
    answers = [call(garmin, "/Messaging/Message", message()) for _ in range(2)]
    assert answers[-1].status_code == 429
    assert answers[-1].headers["retry-after"] == "9"
    assert garmin.switch("GET", "faults")["retry_after_seconds"] == 9
