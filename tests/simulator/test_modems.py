"""The simulated networks of Iridium modems, driven as strangers would: by plain HTTP, and by their commands."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jwt
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from messaging.satellite.networks.rockblock_webhook import read_key
from messaging.simulator.cloudloop import WAITS_SECONDS, CloudloopSimulator
from messaging.simulator.modems import Modem
from messaging.simulator.rockblock import RockblockSimulator
from messaging.simulator.rockblock_push import kept_key, new_key
from messaging.simulator.serving import Serving
from tests.acceptance.running_gateway import Process
from tests.eventually import wait_until

IMEI, OTHER = "300234010753370", "300234010753371"
THING = "DgXeoxwVPMyrdOBJeEGlqKRJLbajQkzZ"


@dataclass
class Receiver:
    """A webhook that answers as it is told and keeps what it got."""

    answers: list[int] = field(default_factory=list)
    delay_seconds: float = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def receive(self, request: Request) -> Response:
        body = (await request.body()).decode()
        read = json.loads(body) if body.startswith("{") else dict(parse_qsl(body))
        self.bodies.append(read)
        self.headers.append(dict(request.headers))
        await asyncio.sleep(self.delay_seconds)
        return Response(status_code=self.answers.pop(0) if self.answers else 200)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def hook(receiver: Receiver) -> Iterator[str]:
    app = Starlette(routes=[Route("/hook", receiver.receive, methods=["POST"])])
    with Serving(app) as serving:
        yield f"{serving.url}/hook"


@pytest.fixture
def rockblock(hook: str) -> Iterator[tuple[RockblockSimulator, httpx.Client]]:
    simulator = RockblockSimulator(
        [Modem(IMEI)], webhook_url=hook, answer_seconds=2, waits_seconds=[0.05] * 3
    )
    with (
        Serving(simulator.app) as serving,
        httpx.Client(base_url=serving.url, timeout=30, trust_env=False) as client,
    ):
        yield simulator, client


Rockblock = tuple[RockblockSimulator, httpx.Client]


def wait_until_idle(client: httpx.Client) -> list[dict[str, Any]]:
    wait_until(lambda: not client.get("/sim/pushes").json()["pending"])
    tries: list[dict[str, Any]] = client.get("/sim/pushes").json()["tries"]
    return tries


def send(client: httpx.Client, data: bytes = b"hello", **changes: str) -> str:
    form = {"imei": IMEI, "username": "demo", "password": "demo", "data": data.hex(), **changes}
    answer = client.post("/rockblock/MT", data=form)
    assert answer.status_code == 200
    return answer.text


def test_a_json_webhook_has_numbers_and_its_token_says_the_same_in_texts(
    rockblock: Rockblock, receiver: Receiver
) -> None:
    simulator, client = rockblock
    assert client.post("/sim/uplinks", json={"imei": IMEI, "data": "00ff"}).json()["taken"]
    (body,) = receiver.bodies
    assert (body["momsn"], body["data"], body["serial"]) == (1, "00ff", 1234)
    key = read_key(client.get("/sim/public-key").text)
    claims = jwt.decode(body["JWT"], key, algorithms=["RS256"], issuer="Rock 7")
    assert jwt.get_unverified_header(body["JWT"]) == {"alg": "RS256"}
    assert claims["iridium_latitude"] == "50.8981"
    del body["JWT"]
    assert {name for name in claims if name not in ("iss", "iat")} == set(body)
    assert all(isinstance(claims[name], str) for name in body)
    assert receiver.headers[0]["user-agent"] == "Rock7PushApi"
    assert simulator.modems.all()[0].momsn == 2


@pytest.mark.parametrize("form", ["HTTP_POST", "HTTP_POST_INSECURE"])
def test_a_form_webhook_has_texts_and_no_token(
    rockblock: Rockblock, receiver: Receiver, form: str
) -> None:
    _, client = rockblock
    client.post("/sim/uplinks", json={"imei": IMEI, "data": "00ff", "form": form})
    (body,) = receiver.bodies
    assert body["momsn"] == "1"
    assert "JWT" not in body
    assert receiver.headers[0]["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("status", [201, 204, 302, 403, 500, 503])
def test_whatever_is_not_200_comes_again(
    rockblock: Rockblock, receiver: Receiver, status: int
) -> None:
    _, client = rockblock
    receiver.answers = [status, status]
    first = client.post("/sim/uplinks", json={"imei": IMEI, "data": "00"}).json()
    assert (first["taken"], first["status"]) == (False, status)
    assert [one["taken"] for one in wait_until_idle(client)] == [False, False, True]
    assert len({body["transmit_time"] for body in receiver.bodies}) == 1


def test_after_the_last_wait_it_is_given_up(rockblock: Rockblock, receiver: Receiver) -> None:
    _, client = rockblock
    receiver.answers = [500] * 10
    client.post("/sim/uplinks", json={"imei": IMEI, "data": "00"})
    assert len(wait_until_idle(client)) == 4


def test_an_answer_that_comes_too_late_is_none(rockblock: Rockblock, receiver: Receiver) -> None:
    _, client = rockblock
    receiver.delay_seconds = 4
    first = client.post("/sim/uplinks", json={"imei": IMEI, "data": "00"}).json()
    assert (first["status"], first["failure"]) == (None, "TimeoutError")


def test_nobody_listening_is_a_failure_too(rockblock: Rockblock) -> None:
    _, client = rockblock
    uplink = {"imei": IMEI, "data": "00", "webhook_url": "http://127.0.0.1:1/"}
    assert client.post("/sim/uplinks", json=uplink).json()["failure"] == "ConnectError"


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


def test_cloudloop_comes_back_for_hours_with_doubling_waits() -> None:
    assert WAITS_SECONDS[:3] == (2, 4, 8)
    assert 9 * 3600 < sum(WAITS_SECONDS) < 12 * 3600


def test_a_lingo_webhook_looks_like_the_documented_one(receiver: Receiver, hook: str) -> None:
    simulator = CloudloopSimulator([Modem(IMEI, thing=THING)], webhook_url=hook)
    with Serving(simulator.app) as serving:
        uplink = {"imei": IMEI, "data": "48656c6c6f"}
        httpx.post(f"{serving.url}/sim/uplinks", json=uplink, trust_env=False)
    (body,) = receiver.bodies
    assert set(body) == {"id", "receivedAt", "identity", "sbd", "message", "signature"}
    assert (body["message"], body["identity"]["thingId"]) == ("SGVsbG8=", THING)
    assert set(body["receivedAt"]) == {"year", "month", "day", "hour", "minute", "second"}
    assert receiver.headers[0]["content-type"] == "application/json"


def test_a_key_is_kept_in_its_file(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    first = kept_key(path)
    assert kept_key(path).private_numbers() == first.private_numbers()
    path.write_text("nonsense")
    with pytest.raises(ValueError, match=r".+"):
        kept_key(path)
    assert new_key().private_numbers() != first.private_numbers()


def test_rockblock_runs_by_its_command_and_a_modem_writes_by_another(
    tmp_path: Path, receiver: Receiver, hook: str
) -> None:
    options = [f"--modem={IMEI}", f"--webhook={hook}", f"--key={tmp_path / 'key.pem'}", "--port=0"]
    served = Process("simulate", "rockblock", *options)
    try:
        url = served.line_with(" at http").rpartition(" ")[2].removesuffix("/rockblock")
        key = served.line_with("SATBRIDGE_ROCKBLOCK_PUBLIC_KEY=").partition("=")[2]
        with httpx.Client(base_url=url, trust_env=False) as client:
            assert send(client).startswith("OK,")
        served.line_with(f"modem {IMEI} got 5 bytes: hello")
        command = ["simulate", "modem", "bob@example.net", "Anchored", f"--imei={IMEI}"]
        asked = Process(*command, f"--at={url}")
        assert asked.process.wait(60) == 0, asked.output
        asked.stop()
        claims = jwt.decode(receiver.bodies[0]["JWT"], read_key(key), algorithms=["RS256"])
        assert b"Anchored" in bytes.fromhex(claims["data"])
    finally:
        assert served.stop() == 0


def test_cloudloop_runs_by_its_command_and_says_when_nobody_takes_a_message(
    receiver: Receiver, hook: str
) -> None:
    receiver.answers = [503]
    options = [f"--thing={IMEI}={THING}", f"--webhook={hook}", "--port=0", "--service=imt"]
    served = Process("simulate", "cloudloop", *options)
    try:
        url = served.line_with(" at http").rpartition(" ")[2]
        command = ["simulate", "modem", "bob@example.net", "Anchored", f"--imei={IMEI}"]
        asked = Process(*command, f"--at={url}")
        assert asked.process.wait(60) == 1, asked.output
        asked.stop()
        assert "did not take it: 503" in asked.output
        assert "imt" in receiver.bodies[0]
    finally:
        assert served.stop() == 0
