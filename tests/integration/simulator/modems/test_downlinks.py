"""Messages to modems, credits and switches of the simulated RockBLOCK."""

from typing import Any

import pytest

from tests.support.simulator.modems.webhook import IMEI, OTHER, Rockblock, send


def test_credits_run_out_and_can_be_bought(rockblock: Rockblock) -> None:
    _, client = rockblock
    client.put("/sim/credits", json={"credits": 2})
    assert send(client, b"x" * 51).startswith("OK,")
    assert client.get("/sim/credits").json() == {"credits": 0}
    assert send(client).startswith("FAILED,13,")
    client.put("/sim/credits", json={"credits": None})
    assert send(client).startswith("OK,")
    assert client.put("/sim/credits", json=[]).status_code == 400


def test_a_modem_that_cannot_be_reached_gets_its_messages_later(rockblock: Rockblock) -> None:
    _, client = rockblock
    modem = {"imei": OTHER, "reachable": False}
    assert client.post("/sim/modems", json=modem).status_code == 201
    send(client, imei=OTHER)
    (waiting,) = client.get("/sim/downlinks").json()
    assert (waiting["state"], bytes.fromhex(waiting["data"])) == ("queued", b"hello")
    client.post("/sim/modems", json={**modem, "reachable": True})
    assert [one["state"] for one in client.get("/sim/downlinks").json()] == ["delivered"]
    assert client.get("/sim/downlinks", params={"after": 1}).json() == []
    assert [one["imei"] for one in client.get("/sim/modems").json()] == [IMEI, OTHER]


def test_a_session_brings_down_what_waits(rockblock: Rockblock) -> None:
    simulator, client = rockblock
    simulator.modems.queue(OTHER, b"for nobody")
    send(client)
    client.post("/sim/uplinks", json={"imei": IMEI})
    states = {one["imei"]: one["state"] for one in client.get("/sim/downlinks").json()}
    assert states == {IMEI: "delivered", OTHER: "queued"}


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "/sim/uplinks", {"imei": "1"}),
        ("POST", "/sim/uplinks", {"imei": IMEI, "data": "xyz"}),
        ("POST", "/sim/uplinks", {"imei": IMEI, "texts": [{"text": "no recipient"}]}),
        ("POST", "/sim/uplinks", {"imei": IMEI, "form": "FAX"}),
        ("POST", "/sim/uplinks", {"unknown": 1}),
        ("POST", "/sim/modems", {"imei": 1}),
        ("PUT", "/sim/faults", {"error_rate": 2}),
        ("GET", "/sim/downlinks?after=x", None),
    ],
)
def test_a_switch_that_is_used_wrongly_says_so(
    rockblock: Rockblock, method: str, path: str, content: Any
) -> None:
    _, client = rockblock
    answer = client.request(method, path, json=content)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_faults_are_switched_on_and_off(rockblock: Rockblock) -> None:
    _, client = rockblock
    client.put("/sim/faults", json={"error_rate": 1, "error_status": 502})
    assert client.post("/rockblock/MT").status_code == 502
    assert client.get("/sim/faults").json()["error_status"] == 502
    client.put("/sim/faults", json={})
    assert send(client).startswith("OK,")
