"""The simulated services of Iridium modems, run by their commands."""

from pathlib import Path

import httpx
import jwt

from messaging.satellite.providers.rockblock.auth import read_key
from tests.support.acceptance.running_gateway import Process
from tests.support.simulator.modems.webhook import IMEI, THING, Receiver, send


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


def test_cloudloop_runs_by_its_command_and_says_when_no_webhook_takes_a_message(
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
