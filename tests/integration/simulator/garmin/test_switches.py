"""The switches and the commands of the simulated Portal Connect."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from messaging.simulator.garmin.api import GarminDevice
from messaging.simulator.garmin.server import GarminSimulator
from messaging.simulator.shared.serving import Serving
from tests.support.acceptance.running_gateway import Process
from tests.support.satellite.garmin_server import IMEI, OTHER_IMEI, GarminServer, garmin_at
from tests.support.simulator.garmin.downlinks import message
from tests.support.simulator.garmin.receiver import Receiver


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
    with garmin_at(GarminSimulator([GarminDevice(IMEI)])) as garmin:
        assert garmin.switch("GET", "devices") == [{"imei": IMEI, "replies": False}]
        garmin.switch("POST", "devices", {"imei": OTHER_IMEI}, status=201)
        assert len(garmin.switch("GET", "devices")) == 2
        assert garmin.event(text="x")["failure"] == "no URL is configured in the portal"
