"""The simulated Portal Connect, driven as strangers would: by plain HTTP, and by its commands."""

import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from messaging.simulator.faults import Faults
from messaging.simulator.garmin import GarminSimulator
from messaging.simulator.garmin_feed import CYCLES, HALF_DAY_SECONDS, WAITS_SECONDS
from messaging.simulator.garmin_inbound import FIXTURE_PREFIX, Device
from messaging.simulator.garmin_portal import Portal
from messaging.simulator.serving import Serving
from tests.acceptance.running_gateway import Process
from tests.eventually import wait_until
from tests.satellite.garmin_server import (
    API_KEY,
    IMEI,
    OTHER_IMEI,
    SOME_DEVICES,
    TOKEN,
    GarminServer,
    garmin_at,
)


@dataclass
class Receiver:
    """A webhook that answers as it is told, and keeps what it got."""

    status: int = 200
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    tokens: int = 0

    async def receive(self, request: Request) -> Response:
        self.bodies.append(await request.json())
        self.headers.append(dict(request.headers))
        return Response(status_code=self.status)

    async def token(self, request: Request) -> Response:
        self.tokens += 1
        return JSONResponse({"access_token": f"t{self.tokens}", "expires_in": 60})

    def events(self) -> list[dict[str, Any]]:
        return [event for body in self.bodies for event in body["Events"]]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def garmin(receiver: Receiver) -> Iterator[GarminServer]:
    hook = Route("/hook", receiver.receive, methods=["POST"])
    app = Starlette(routes=[hook, Route("/token", receiver.token, methods=["POST"])])
    with Serving(app) as server:
        portal = Portal(url=f"{server.url}/hook", token=TOKEN)
        with garmin_at(GarminSimulator(SOME_DEVICES, api_key=API_KEY, portal=portal)) as garmin:
            yield garmin


# -- what is posted

COMMON = {
    "imei",
    "messageCode",
    "freeText",
    "timeStamp",
    "pingbackReceived",
    "pingbackResponded",
    "addresses",
    "point",
    "status",
    "payload",
}
THIRD = COMMON | {"transportMode"}
FOURTH = THIRD | {"mediaId", "mediaType", "mediaBytes", "transcription"}


@pytest.mark.parametrize(("version", "names"), [("2.0", COMMON), ("3.0", THIRD), ("4.0", FOURTH)])
def test_each_version_has_its_properties(
    garmin: GarminServer, receiver: Receiver, version: str, names: set[str]
) -> None:
    garmin.portal(version=version)
    garmin.event(text="hello", to=["bob@example.net"])
    (body,) = receiver.bodies
    (event,) = body["Events"]
    assert (body["Version"], event.keys()) == (version, names)
    assert event["payload"] is None
    assert event["addresses"] == [{"address": "bob@example.net"}]
    assert set(event["point"].values()) == {0}


def test_with_encryption_what_has_no_value_is_not_there(
    garmin: GarminServer, receiver: Receiver
) -> None:
    garmin.portal(encrypted=True)
    garmin.event(text="hello")
    (event,) = receiver.events()
    assert not {"payload", "mediaId", "pingbackReceived"} & event.keys()
    assert None not in event.values()


@pytest.mark.parametrize(("version", "dated"), [("2.0", False), ("3.0", False), ("4.0", True)])
def test_bytes_come_with_a_few_properties_only(
    garmin: GarminServer, receiver: Receiver, version: str, dated: bool
) -> None:
    garmin.portal(version=version)
    garmin.event(code=66, payload="AAEC")
    (event,) = receiver.events()
    few = {"imei", "messageCode", "payload", "status"}
    assert event.keys() == (few | {"timeStamp"} if dated else few)


def test_several_events_are_one_post(garmin: GarminServer, receiver: Receiver) -> None:
    garmin.event({"text": "one"}, {"imei": OTHER_IMEI, "text": "two"})
    assert len(receiver.bodies) == 1
    assert [event["imei"] for event in receiver.events()] == [IMEI, OTHER_IMEI]


def test_pictures_and_pingbacks_can_be_had(garmin: GarminServer, receiver: Receiver) -> None:
    garmin.event({"media_type": "image/avif", "media_bytes": "AAEC"}, {"code": 65})
    picture, pingback = receiver.events()
    assert (picture["mediaType"], picture["mediaBytes"]) == ("image/avif", "AAEC")
    assert pingback["pingbackResponded"] >= pingback["pingbackReceived"]


def test_the_static_token_is_in_its_header(garmin: GarminServer, receiver: Receiver) -> None:
    garmin.event(text="hello")
    garmin.portal(static_form="basic")
    garmin.event(text="hello")
    first, second = receiver.headers
    assert first["x-outbound-auth-token"] == TOKEN
    told = base64.b64decode(second["authorization"].removeprefix("Basic ")).decode()
    assert told == f"token:{TOKEN}"


def test_an_oauth_token_is_kept_until_it_ends(garmin: GarminServer, receiver: Receiver) -> None:
    url = garmin.switch("GET", "portal")["url"].replace("/hook", "/token")
    garmin.portal(oauth_url=url, oauth_client_id="id", oauth_client_secret="secret")
    garmin.event(text="one")
    garmin.event(text="two")
    garmin.switch("POST", "clock", {"advance_seconds": 61})
    garmin.event(text="three")
    told = [headers["authorization"] for headers in receiver.headers]
    assert told == ["Bearer t1", "Bearer t1", "Bearer t2"]


# -- the ladder


def test_only_200_is_a_success(garmin: GarminServer, receiver: Receiver) -> None:
    receiver.status = 204
    assert garmin.event(text="hello")["taken"] is False
    assert garmin.feed()["waiting"] == 1


def test_what_waits_comes_after_2_and_4_and_8_seconds_in_its_order(
    garmin: GarminServer, receiver: Receiver
) -> None:
    now = time.time()
    garmin.simulator.clock.real = lambda: now
    receiver.status = 503
    garmin.event(text="one")
    garmin.event(text="two")
    assert len(receiver.bodies) == 1
    for posts, seconds in enumerate(WAITS_SECONDS, 2):
        garmin.switch("POST", "clock", {"advance_seconds": seconds - 0.5})
        time.sleep(0.05)
        assert len(receiver.bodies) == posts - 1
        garmin.switch("POST", "clock", {"advance_seconds": 0.5})
        wait_for_posts(garmin, posts)
    receiver.status = 200
    garmin.switch("POST", "clock", {"advance_seconds": WAITS_SECONDS[-1]})
    wait_until(lambda: garmin.feed()["waiting"] == 0)
    assert [event["freeText"] for event in receiver.bodies[-1]["Events"]] == ["one", "two"]
    assert garmin.feed()["failures"] == 0


def wait_for_posts(garmin: GarminServer, posts: int) -> None:
    """Return when so many have been made, and the next is waited for (or there is none)."""
    wait_until(lambda: len(garmin.feed()["posts"]) == posts)
    wait_until(lambda: garmin.feed()["state"] != "posting")


def fail_for_half_a_day(garmin: GarminServer) -> None:
    """From a wait to the end of it: the post after twelve hours without a success."""
    posts = len(garmin.feed()["posts"])
    garmin.switch("POST", "clock", {"advance_seconds": HALF_DAY_SECONDS})
    wait_for_posts(garmin, posts + 1)
    assert garmin.feed()["state"] in ("paused", "suspended")


def resume_after_the_pause(garmin: GarminServer) -> None:
    posts = len(garmin.feed()["posts"])
    garmin.switch("POST", "clock", {"advance_seconds": HALF_DAY_SECONDS})
    wait_for_posts(garmin, posts + 1)


def test_after_half_a_day_it_pauses_and_any_success_resets_that(
    garmin: GarminServer, receiver: Receiver
) -> None:
    receiver.status = 500
    garmin.event(text="one")
    fail_for_half_a_day(garmin)
    assert garmin.feed()["cycles"] == 1
    assert garmin.event(text="two")["failure"] == "behind events that nobody took"
    receiver.status = 200
    garmin.switch("POST", "clock", {"advance_seconds": HALF_DAY_SECONDS})
    wait_until(lambda: garmin.feed()["waiting"] == 0)
    told = garmin.feed()
    assert (told["state"], told["cycles"], told["mails"], told["taken"]) == ("idle", 0, 0, 2)


def test_after_five_days_it_is_suspended_and_old_events_are_gone(
    garmin: GarminServer, receiver: Receiver
) -> None:
    receiver.status = 500
    garmin.event(text="old")
    fail_for_half_a_day(garmin)
    for cycle in range(2, CYCLES + 1):
        garmin.event(text="newer")
        resume_after_the_pause(garmin)
        fail_for_half_a_day(garmin)
        assert garmin.feed()["cycles"] == cycle
    told = garmin.feed()
    assert (told["state"], told["mails"]) == ("suspended", 9)
    receiver.status = 200
    assert garmin.event(text="new")["taken"] is False
    garmin.switch("POST", "clock", {"advance_seconds": HALF_DAY_SECONDS})
    assert garmin.feed()["state"] == "suspended"
    garmin.switch("POST", "feed/resume")
    wait_until(lambda: garmin.feed()["waiting"] == 0)
    texts = [event["freeText"] for event in receiver.bodies[-1]["Events"]]
    assert texts == ["newer"] * 4 + ["new"]
    assert garmin.feed()["discarded"] == 1


def test_a_post_may_come_twice(garmin: GarminServer, receiver: Receiver) -> None:
    garmin.switch("PUT", "faults", {"duplicate_rate": 1})
    garmin.event(text="hello")
    assert len(receiver.bodies) == 2
    assert receiver.bodies[0] == receiver.bodies[1]


# -- messages to devices


def message(**changes: Any) -> dict[str, Any]:
    usual = {
        "Recipients": [IMEI],
        "Sender": "alice@example.net",
        "Timestamp": f"/Date({int(time.time() * 1000) - 1000})/",
        "Message": "hello",
    }
    return {"Messages": [{**usual, **changes}]}


def place(**changes: Any) -> dict[str, Any]:
    usual = {
        "LocationType": 0,
        "Altitude": 1,
        "Speed": 1,
        "Course": 1,
        "Coordinate": {"Latitude": 1, "Longitude": 1},
        "Label": "camp",
    }
    return message(ReferencePoint={**usual, **changes})


def call(garmin: GarminServer, path: str, content: Any, key: str | None = API_KEY) -> Any:
    headers = {} if key is None else {"X-API-Key": key}
    with httpx.Client(base_url=f"{garmin.url}/api", trust_env=False, headers=headers) as client:
        return client.post(path, json=content)


def binary(**changes: Any) -> dict[str, Any]:
    return {"Messages": [{"Recipients": [IMEI], "Type": 1, "Payload": "AAEC", **changes}]}


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


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "events", {}),
        ("POST", "events", []),
        ("POST", "events", {"imei": "7"}),
        ("POST", "events", {"imei": IMEI, "surprise": 1}),
        ("POST", "devices", {"name": "x"}),
        ("PUT", "portal", {"version": "5.0"}),
        ("PUT", "portal", 7),
        ("POST", "clock", {}),
        ("PUT", "faults", {"error_rate": 2}),
        ("GET", "downlinks?after=x", None),
    ],
)
def test_a_switch_that_is_used_wrongly_says_so(
    garmin: GarminServer, method: str, path: str, content: Any
) -> None:
    assert garmin.switch(method, path, content, status=400)["error"]


def test_it_stands_alone_by_its_commands(receiver: Receiver) -> None:
    hook = Route("/hook", receiver.receive, methods=["POST"])
    with Serving(Starlette(routes=[hook])) as server:
        process = Process(
            "simulate", "garmin", f"--device={IMEI}", f"--webhook={server.url}/hook", "--port=0"
        )
        try:
            url = process.line_with(" at http").rpartition(" ")[2].removesuffix("/api")
            sends = ["Anchored", f"--imei={IMEI}", "--to=bob@example.net", "--place=47.5,-3.25"]
            done = Process("simulate", "inreach", *sends, f"--at={url}")
            assert done.process.wait(60) == 0, done.output
            done.stop()
            with httpx.Client(trust_env=False, headers={"X-API-Key": "demo"}) as client:
                client.post(f"{url}/api/Messaging/Message", json=message()).raise_for_status()
            process.line_with("got from alice@example.net: hello")
        finally:
            assert process.stop() == 0
    (event,) = receiver.events()
    assert (event["freeText"], event["point"]["latitude"]) == ("Anchored", 47.5)


def test_devices_are_listed() -> None:
    with garmin_at(GarminSimulator([Device(IMEI)])) as garmin:
        assert garmin.switch("GET", "devices") == [{"imei": IMEI, "replies": False}]
        garmin.switch("POST", "devices", {"imei": OTHER_IMEI}, status=201)
        assert len(garmin.switch("GET", "devices")) == 2
        assert garmin.event(text="x")["failure"] == "no URL is configured in the portal"
