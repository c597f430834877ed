import base64
import queue
from typing import Any

import httpx
import pytest

from messaging.simulator.hive.api import HiveHabits
from messaging.simulator.hive.server import HiveSimulator
from messaging.simulator.hive.state import HiveDevice, HivePacket
from messaging.simulator.shared.serving import Serving
from tests.support.simulator.hive_client import downlink, log_in

TEXT = {"text": "hello", "to": "+15551230000", "protocol": "sms"}
VECTOR = bytes.fromhex("080112170a0568656c6c6f1a0c2b313535353132333030303028021801")


def inbox(hive: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    answer = hive.get("/hive/api/v1/messages", params={"status": 0, **query})
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()
    return found


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "messages"),
        ("POST", "messages"),
        ("POST", "messages/rxack/1"),
        ("GET", "devices"),
        ("GET", "usercontext"),
    ],
)
def test_nothing_is_answered_without_a_login(hive: httpx.Client, method: str, path: str) -> None:
    assert hive.request(method, f"/hive/api/v1/{path}").status_code == 401


@pytest.mark.parametrize(
    "content",
    [b"", b"username=demo&password=wrong", b'{"username": "demo"}', b"[1]", b"\xff"],
)
def test_a_wrong_login_is_refused(hive: httpx.Client, content: bytes) -> None:
    assert hive.post("/hive/login", content=content).status_code == 401


def test_a_login_by_form_gives_a_cookie(hive: httpx.Client) -> None:
    log_in(hive)
    assert hive.cookies["JSESSIONID"]
    assert hive.get("/hive/api/v1/usercontext").json()["username"] == "demo"
    assert hive.get("/hive/logout").status_code == 204
    assert hive.get("/hive/api/v1/usercontext").status_code == 401


def test_a_login_by_json_gives_a_bearer_token(hive: httpx.Client) -> None:
    answer = hive.post("/hive/login", json={"username": "demo", "password": "demo"})
    hive.cookies.clear()
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert hive.get("/hive/api/v1/devices", headers=headers).json() == [
        {"deviceType": 1, "deviceId": 9, "deviceName": "boop"},
        {"deviceType": 1, "deviceId": 10, "deviceName": ""},
    ]


def test_a_session_ends_when_told(hive: httpx.Client) -> None:
    log_in(hive)
    assert hive.post("/sim/sessions/expire").status_code == 204
    assert hive.get("/hive/api/v1/usercontext").status_code == 401


def test_a_session_ends_by_itself_with_the_status_asked_for() -> None:
    simulator = HiveSimulator(habits=HiveHabits(session_seconds=0, expired_status=403))
    with Serving(simulator.app) as server, httpx.Client(base_url=server.url) as client:
        log_in(client)
        assert client.get("/hive/api/v1/usercontext").status_code == 403


def test_an_uplink_stays_in_the_list_until_it_is_acknowledged(hive: httpx.Client) -> None:
    log_in(hive)
    packet_id = hive.post("/sim/uplinks", json={"device": 9, "texts": [TEXT]}).json()["packetId"]
    for _ in range(2):
        (item,) = inbox(hive)
        assert (item["packetId"], item["messageId"]) == (packet_id, packet_id)
        assert base64.b64decode(item["data"]) == VECTOR
        assert (item["deviceId"], item["len"], item["status"]) == (9, len(VECTOR), 0)
    answer = hive.post(f"/hive/api/v1/messages/rxack/{packet_id}")
    assert answer.json() == {"packetId": packet_id, "status": "OK"}
    assert inbox(hive) == []
    assert inbox(hive, status=2)[0]["status"] == 2
    assert hive.post(f"/hive/api/v1/messages/rxack/{packet_id}").status_code == 404
    assert hive.post("/hive/api/v1/messages/rxack/99").status_code == 404


def test_the_list_is_filtered_and_limited(
    hive: httpx.Client, hive_simulator: HiveSimulator
) -> None:
    log_in(hive)
    for device in (9, 10, 9):
        hive_simulator.state.put_uplink(device, b"x")
    assert [item["packetId"] for item in inbox(hive, count=2)] == [1, 2]
    assert [item["packetId"] for item in inbox(hive, deviceid=9)] == [1, 3]
    assert inbox(hive, userApplicationId=7) == []
    assert hive.get("/hive/api/v1/messages", params={"count": "many"}).status_code == 400
    assert len(hive.get("/hive/api/v1/messages").json()) == 3


def test_the_list_comes_out_of_order_and_twice_when_told(
    hive: httpx.Client, hive_simulator: HiveSimulator
) -> None:
    log_in(hive)
    for _ in range(20):
        hive_simulator.state.put_uplink(9, b"x")
    hive.put("/sim/faults", json={"reorder": True, "duplicate_rate": 1}).raise_for_status()
    ids = [item["packetId"] for item in inbox(hive)]
    assert sorted(ids) == sorted([*range(1, 21), *range(1, 21)])
    assert ids[:20] != sorted(ids[:20])


def test_whoever_watches_sees_which_uplinks_were_acknowledged(
    hive: httpx.Client, hive_simulator: HiveSimulator
) -> None:
    log_in(hive)
    first, second = (hive_simulator.state.put_uplink(9, b"x") for _ in range(2))
    hive.post(f"/hive/api/v1/messages/rxack/{first}").raise_for_status()
    assert hive.get("/sim/uplinks").json() == {"waiting": [second], "acknowledged": [first]}


def test_a_downlink_reaches_its_device() -> None:
    seen: queue.Queue[HivePacket] = queue.Queue()
    simulator = HiveSimulator([HiveDevice(9)], on_shown=seen.put)
    with Serving(simulator.app) as server, httpx.Client(base_url=server.url) as client:
        log_in(client)
        answer = client.post("/hive/api/v1/messages", json=downlink())
        assert answer.json()["status"] == "OK"
        packet = seen.get(timeout=30)
        assert (packet.id, packet.data) == (answer.json()["packetId"], b"hello")
        (shown,) = client.get("/sim/downlinks").json()
        assert (shown["device"], shown["bytes"], shown["status"]) == (9, 5, 4)
        assert base64.b64decode(shown["data"]) == b"hello"
        assert client.get("/sim/downlinks", params={"after": packet.id}).json() == []


@pytest.mark.parametrize(("reachable", "way"), [(True, [3, 4, 4]), (False, [3, -3, -4, -4])])
def test_a_downlink_goes_its_way_step_by_step(reachable: bool, way: list[int]) -> None:
    device = HiveDevice(9, reachable=reachable)
    simulator = HiveSimulator([device], HiveHabits(flight_seconds=None))
    with Serving(simulator.app) as server, httpx.Client(base_url=server.url) as client:
        log_in(client)
        packet_id = client.post("/hive/api/v1/messages", json=downlink()).json()["packetId"]
        assert [item["packetId"] for item in inbox(client, status=1)] == [packet_id]
        steps = [client.post(f"/sim/downlinks/{packet_id}/advance").json() for _ in way]
        assert [step["status"] for step in steps] == way
        assert client.post("/sim/downlinks/77/advance").status_code == 404


@pytest.mark.parametrize("device", [10, 404])
def test_a_device_without_two_way_access_is_refused(hive: httpx.Client, device: int) -> None:
    log_in(hive)
    answer = hive.post("/hive/api/v1/messages", json=downlink(device=device))
    assert answer.status_code == 403


def test_more_than_192_bytes_are_refused(hive: httpx.Client, hive_simulator: HiveSimulator) -> None:
    log_in(hive)
    answer = hive.post("/hive/api/v1/messages", json=downlink(b"x" * 193)).json()
    assert answer["status"].startswith("ERROR")
    assert hive_simulator.state.downlinks() == []
    answer = hive.post("/hive/api/v1/messages", json=downlink(b"x" * 192)).json()
    assert answer["status"] == "OK"


@pytest.mark.parametrize(
    "body", [{}, downlink() | {"data": 5}, downlink() | {"data": "%%"}, downlink(deviceId="9"), [1]]
)
def test_a_downlink_that_is_none_is_a_bad_request(hive: httpx.Client, body: Any) -> None:
    log_in(hive)
    assert hive.post("/hive/api/v1/messages", json=body).status_code == 400


def test_raw_bytes_can_be_sent_up(hive: httpx.Client) -> None:
    log_in(hive)
    body = {"device": 9, "data": base64.b64encode(b"\xffraw").decode()}
    assert hive.post("/sim/uplinks", json=body).json()["bytes"] == 4
    assert base64.b64decode(inbox(hive)[0]["data"]) == b"\xffraw"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"device": 9, "data": "%%"},
        {"device": 9, "texts": [{"text": "hi"}]},
        {"device": 9, "texts": [TEXT | {"protocol": "telex"}]},
        {"device": 9, "typo": []},
    ],
)
def test_an_uplink_that_is_none_is_a_bad_request(hive: httpx.Client, body: Any) -> None:
    assert hive.post("/sim/uplinks", json=body).status_code == 400


def test_devices_are_added_and_listed(hive: httpx.Client) -> None:
    body = {"id": 11, "name": "new", "reachable": False}
    assert hive.post("/sim/devices", json=body).status_code == 201
    assert hive.get("/sim/devices").json()[-1] == body | {"two_way": True}
    assert hive.post("/sim/devices", json={"name": "no id"}).status_code == 400


def test_faults_are_shown_and_set(hive: httpx.Client) -> None:
    assert hive.get("/sim/faults").json()["error_rate"] == 0
    assert hive.put("/sim/faults", json={"error_rate": 1}).status_code == 200
    assert hive.post("/hive/login").status_code == 503
    assert hive.put("/sim/faults", json={"error_rate": 2}).status_code == 400
    assert hive.get("/sim/state").json()["requests"] == 1


def test_what_is_counted_is_shown(hive: httpx.Client, hive_simulator: HiveSimulator) -> None:
    log_in(hive)
    hive_simulator.state.put_uplink(9, b"x")
    assert hive.get("/sim/state").json() == {
        "waiting": 1,
        "acknowledged": 0,
        "requests": 1,
        "logins": 1,
    }
