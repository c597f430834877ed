"""Uplinks that wait at the satellite network, to mails: against one after another, as in the case study."""

import base64
import smtplib
import time
from email.message import EmailMessage

import httpx

from bench.figures import Line
from bench.gateway_under_load import gateway
from messaging.satellite.codecs.protobuf import Text, decode
from messaging.simulator.mail.server import MailSink
from messaging.simulator.shared.device_payload import device_payload
from tests.support.acceptance.running_gateway import HIVE_PASSWORD, RunningGateway

UPLINKS = 3000
IN_SEQUENCE = 200
AWAY_SECONDS = 0.05
POLLING = {
    "HIVE_POLL_SECONDS": "1",
    "HIVE_PAGE_SIZE": "500",
    "HIVE_RETRY_SECONDS": "0.05",
    "HIVE_LONGEST_RETRY_SECONDS": "0.1",
}


def measure() -> list[Line]:
    """Measure us, then the sequence, with the same simulators, without and with the delay of a real network."""
    near = _compare(0, "the network answers at once")
    return [
        near,
        _compare(AWAY_SECONDS, f"the network answers after {AWAY_SECONDS * 1000:.0f} ms"),
    ]


def _compare(away_seconds: float, how_far: str) -> Line:
    with gateway(**POLLING) as ours:
        # It gets nothing until everything waits: what it took before the clock runs would count for it.
        _set_faults(ours.hive, error_rate=1.0)
        time.sleep(1)
        _put(ours.hive, UPLINKS)
        began = time.monotonic()
        _set_faults(ours.hive, latency_seconds=away_seconds)
        while len(ours.sink.received) < UPLINKS:
            time.sleep(0.05)
        rate = UPLINKS / (time.monotonic() - began)
    with gateway(HIVE_POLL_SECONDS="3600") as idle:
        sequence = _in_sequence(idle, away_seconds)
    note = f"{UPLINKS} uplinks of 20 devices waiting, {how_far}; the sequence measured on {IN_SEQUENCE}"
    peer = "one task, connection and acknowledgement each"
    return Line("device to mail", rate, "messages/s", peer, sequence, 10, note)


def _set_faults(hive: str, **faults: float) -> None:
    httpx.put(f"{hive}/sim/faults", json=faults).raise_for_status()


def _put(hive: str, count: int) -> None:
    with httpx.Client(base_url=hive) as client:
        for number in range(count):
            payload = device_payload(
                [{"text": f"uplink {number}", "to": "bob@example.net", "protocol": "email"}]
            )
            content = {"device": 1001 + number % 20, "data": base64.b64encode(payload).decode()}
            client.post("/sim/uplinks", json=content).raise_for_status()


def _in_sequence(gateway: RunningGateway, away_seconds: float) -> float:
    time.sleep(2)  # its poller has looked once and now sleeps
    _put(gateway.hive, IN_SEQUENCE)
    _set_faults(gateway.hive, latency_seconds=away_seconds)
    with MailSink() as sink, httpx.Client(base_url=f"{gateway.hive}/hive") as client:
        form = {"username": "boss", "password": HIVE_PASSWORD}
        client.post("/login", data=form).raise_for_status()
        began = time.monotonic()
        done = 0
        while items := client.get("/api/v1/messages", params={"count": 50, "status": 0}).json():
            for item in items:
                for text in decode(base64.b64decode(item["data"])):
                    if isinstance(text, Text):
                        _mail(sink.port, text)
                client.post(f"/api/v1/messages/rxack/{item['packetId']}").raise_for_status()
                done += 1
        return done / (time.monotonic() - began)


def _mail(port: int, text: Text) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "boop@example.org", text.to.value, "x"
    message.set_content(text.text)
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(message)
