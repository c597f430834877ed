"""Iridium's simulated DirectIP gateway, driven as strangers would: by plain sockets and HTTP, and by its command."""

import itertools
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from messaging.satellite.providers.directip.downlink import Flags, request, status_of
from messaging.simulator.directip.push import waits
from messaging.simulator.directip.server import DirectIpSimulator
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.modems import Modem
from messaging.simulator.shared.serving import Serving
from tests.support.acceptance.running_gateway import Process
from tests.support.eventually import wait_until

IMEI = "300434060000000"
YES, NO = bytes.fromhex("01000405000101"), bytes.fromhex("01000405000100")


@dataclass
class Listener:
    """A server that answers each frame as it is told, the last way from then on, and keeps what came."""

    answers: list[bytes] = field(default_factory=lambda: [YES])
    frames: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        for number in itertools.count():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                frame = connection.recv(3)
                while len(frame) < 3 + int.from_bytes(frame[1:3], "big"):
                    frame += connection.recv(1)
                self.frames.append(frame)
                connection.sendall(self.answers[min(number, len(self.answers) - 1)])

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def simulator(listener: Listener) -> Iterator[tuple[DirectIpSimulator, httpx.Client]]:
    simulator = DirectIpSimulator([Modem(IMEI)], listener=listener.address, speed=50)
    with (
        simulator,
        Serving(simulator.app) as serving,
        httpx.Client(base_url=serving.url, timeout=30, trust_env=False) as client,
    ):
        yield simulator, client


Simulator = tuple[DirectIpSimulator, httpx.Client]


def ask(address: str, frame: bytes) -> bytes:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(frame)
        answer = b""
        while piece := connection.recv(1000):
            answer += piece
    return answer


def uplink(client: httpx.Client, **uplink: Any) -> dict[str, Any]:
    answer = client.post("/sim/uplinks", json={"imei": IMEI, **uplink})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def wait_until_idle(client: httpx.Client) -> list[dict[str, Any]]:
    wait_until(lambda: not client.get("/sim/pushes").json()["pending"])
    tries: list[dict[str, Any]] = client.get("/sim/pushes").json()["tries"]
    return tries


def test_it_comes_back_as_the_real_one_does_until_a_message_has_lived_twelve_hours() -> None:
    seconds = list(waits())
    assert seconds[:11] == [1, 5, 10, 20, 30, 60, 120, 240, 360, 360, 360]
    assert 12 * 3600 - 360 <= sum(seconds) <= 12 * 3600
    assert list(waits(2))[:2] == [0.5, 2.5]


def test_what_is_refused_comes_again_until_it_is_confirmed(
    simulator: Simulator, listener: Listener
) -> None:
    _, client = simulator
    listener.answers = [NO, b"", YES]
    assert not uplink(client, data="00ff")["taken"]
    tries = wait_until_idle(client)
    assert [one["taken"] for one in tries] == [False, False, True]
    assert len(set(listener.frames)) == 1


def test_without_confirmation_it_writes_and_forgets(listener: Listener) -> None:
    listener.answers = [NO]
    simulator = DirectIpSimulator([Modem(IMEI)], listener=listener.address, confirms=False)
    with (
        simulator,
        Serving(simulator.app) as serving,
        httpx.Client(base_url=serving.url, timeout=30, trust_env=False) as client,
    ):
        assert uplink(client, data="00ff")["taken"]
        assert client.get("/sim/pushes").json()["pending"] == 0


def test_each_session_has_a_number_and_a_reference_of_its_own(
    simulator: Simulator, listener: Listener
) -> None:
    _, client = simulator
    for _ in range(2):
        uplink(client, data="00ff")
    first, second = listener.frames
    assert [int.from_bytes(frame[6:10], "big") for frame in (first, second)] == [1, 2]
    assert [int.from_bytes(frame[26:28], "big") for frame in (first, second)] == [1, 2]


def test_a_message_waits_for_a_modem_that_cannot_be_reached_until_its_session(
    simulator: Simulator,
) -> None:
    simulated, client = simulator
    client.post("/sim/modems", json={"imei": IMEI, "reachable": False})
    for place in (1, 2, 3):
        answer = ask(simulated.address, request(7, IMEI, b"hi"))
        assert status_of(answer, 7, IMEI)[1] == place
    client.post("/sim/modems", json={"imei": IMEI, "reachable": True})
    states = {one["state"] for one in client.get("/sim/downlinks").json()}
    assert states == {"delivered"}


WRONG = {
    "no modem of ours": (request(7, "300434060000009", b"hi"), -2),
    "no IMEI": (request(7, "x" * 15, b"hi"), -1),
    "too long": (request(7, IMEI, b"x" * 271), -3),
    "no payload": (request(7, IMEI, b""), -4),
    "a ring alert with a payload": (request(7, IMEI, b"hi", Flags.RING_ALERT_ONLY), -7),
    "a number out of range": (request(70_000, IMEI, b"hi", Flags.NUMBER_IS_OURS), -11),
    "a fixture": (request(7, "300000000000012", b"hi"), -12),
}


@pytest.mark.parametrize(("frame", "status"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_a_message_has_its_status(
    simulator: Simulator, frame: bytes, status: int
) -> None:
    answer = ask(simulator[0].address, frame)
    assert int.from_bytes(answer[-2:], "big", signed=True) == status
    assert answer[-6:-2] == bytes(4)


def test_a_ring_alert_alone_and_a_flush_alone_are_done(simulator: Simulator) -> None:
    simulated, client = simulator
    for flags in (Flags.RING_ALERT_ONLY, Flags.FLUSH, Flags.RING_ALERT_ONLY | Flags.FLUSH):
        assert status_of(ask(simulated.address, request(7, IMEI, b"", flags)), 7, IMEI)[1] == 0
    assert client.get("/sim/downlinks").json() == []


def test_what_is_no_message_is_not_answered(simulator: Simulator) -> None:
    assert ask(simulator[0].address, b"\x02\x00\x01x") == b""


@pytest.mark.parametrize(("status", "means"), [(400, -7), (401, -10), (404, -2), (500, -6)])
def test_the_faults_speak_of_http_and_mean_a_status(
    simulator: Simulator, status: int, means: int
) -> None:
    simulator[0].dice.faults = Faults(error_rate=1, error_status=status)
    answer = ask(simulator[0].address, request(7, IMEI, b"hi"))
    assert status_of(answer, 7, IMEI) == (0, means)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"imei": "1"},
        {"imei": IMEI, "form": "yelled"},
        {"imei": IMEI, "changes": {"frame": "zz"}},
        {"imei": IMEI, "changes": {"status": "high"}},
        {"imei": IMEI, "transmit_time": "noon"},
    ],
)
def test_a_switch_that_is_used_wrongly_says_so(simulator: Simulator, content: Any) -> None:
    answer = simulator[1].post("/sim/uplinks", json=content)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_it_runs_by_its_command_and_a_modem_writes_by_another(listener: Listener) -> None:
    options = [f"--modem={IMEI}", f"--listener={listener.address}"]
    served = Process("simulate", "directip", *options, "--port=0", "--gateway-port=0")
    try:
        url = served.line_with(" at http").rpartition(" ")[2]
        address = served.line_with("SATBRIDGE_DIRECTIP_GATEWAY=").partition("=")[2]
        assert status_of(ask(address, request(7, IMEI, b"hello")), 7, IMEI)[1] == 1
        served.line_with(f"modem {IMEI} got 5 bytes: hello")
        command = ["simulate", "modem", "bob@example.net", "Anchored", f"--imei={IMEI}"]
        asked = Process(*command, f"--at={url}")
        assert asked.process.wait(60) == 0, asked.output
        asked.stop()
        assert b"Anchored" in listener.frames[0]
    finally:
        assert served.stop() == 0


def test_a_port_that_is_taken_is_named(listener: Listener) -> None:
    port = listener.address.rpartition(":")[2]
    refused = Process("simulate", "directip", f"--modem={IMEI}", f"--gateway-port={port}")
    assert refused.process.wait(60) == 2
    refused.stop()
    assert "--gateway-port: cannot listen" in refused.output
