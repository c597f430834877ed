"""What the simulated services of Iridium modems post, and when they come back."""

from pathlib import Path

import httpx
import jwt
import pytest

from messaging.satellite.providers.rockblock.auth import read_key
from messaging.simulator.cloudloop.server import WAITS_SECONDS, CloudloopSimulator
from messaging.simulator.rockblock.push import load_key, new_key
from messaging.simulator.shared.modems import Modem
from messaging.simulator.shared.serving import Serving
from tests.support.simulator.modems.webhook import IMEI, THING, Receiver, Rockblock, wait_until_idle


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


def test_a_closed_port_is_a_failure_too(rockblock: Rockblock) -> None:
    _, client = rockblock
    uplink = {"imei": IMEI, "data": "00", "webhook_url": "http://127.0.0.1:1/"}
    assert client.post("/sim/uplinks", json=uplink).json()["failure"] == "ConnectError"


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
    first = load_key(path)
    assert load_key(path).private_numbers() == first.private_numbers()
    path.write_text("nonsense")
    with pytest.raises(ValueError, match=r".+"):
        load_key(path)
    assert new_key().private_numbers() != first.private_numbers()
