"""A gateway with an inReach and a SPOT device: both networks simulated, each a process of its own."""

import smtplib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx

from tests.support.acceptance.running_gateway import Process, RunningGateway, running

FRIEND = "+15551230000"

IMEI, LISTED_IMEI = "300434030000001", "300434030000002"

MESSENGER = "0-8356068"

API_KEY, TOKEN, FEED = "an-api-key-of-garmin", "a-token-of-garmin", "a-feed-id-of-spot"

SECRET = "a-client-secret-of-32-letters-or-more"

BASE = "/spot-main-web/consumer/rest-api/2.0/public/feed"

OPERATOR = "operator@example.net"


@dataclass(frozen=True)
class Stage:
    gateway: RunningGateway
    garmin: str
    spot: str

    def inreach(self, *events: dict[str, Any], **event: Any) -> dict[str, Any]:
        """Let an inReach send; returns what came of the first post."""
        given = [{"imei": IMEI, **one} for one in events] or {"imei": IMEI, **event}
        found: dict[str, Any] = called("POST", f"{self.garmin}/sim/events", given)
        return found

    def shown(self, sender: str) -> list[str]:
        """The texts of somebody that the inReach got."""
        listed = called("GET", f"{self.garmin}/sim/downlinks")
        return [one["text"] for one in listed if one["from"] == sender]

    def tracker(self, content: str, **sent: Any) -> None:
        given = {"feed": FEED, "content": content, "messenger": MESSENGER, **sent}
        called("POST", f"{self.spot}/sim/messages", given)

    def mails(self, recipient: str, words: str) -> list[Any]:
        found = [m for m in self.gateway.sink.received if recipient in m.recipients]
        return [m for m in found if words in f"{m.message['Subject']}\n{m.message.get_content()}"]

    def texts(self, words: str) -> list[dict[str, Any]]:
        return [text for text in self.gateway.texts() if words in text["body"]]


def called(method: str, url: str, content: Any = None) -> Any:
    answer = httpx.request(method, url, json=content, timeout=30)
    answer.raise_for_status()
    return answer.json()


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Start the two simulators and the gateway, and tell each of the others."""
    with ExitStack() as exits:

        def simulator(*arguments: str) -> str:
            process = Process("simulate", *arguments, "--port=0")
            exits.callback(process.stop)
            return process.line_with(" at http").rpartition(" ")[2]

        garmin = simulator("garmin", f"--device={IMEI}", f"--api-key={API_KEY}", f"--token={TOKEN}")
        spot = simulator("spot", f"--feed={FEED}", "--least-seconds=0.4").removesuffix(BASE)
        settings = {
            "OPERATOR_ADDRESSES": OPERATOR,
            "GARMIN_URL": garmin,
            "GARMIN_API_KEY": API_KEY,
            "GARMIN_WEBHOOK_TOKEN": TOKEN,
            "GARMIN_OAUTH_CLIENT_ID": "garmin",
            "GARMIN_OAUTH_CLIENT_SECRET": SECRET,
            "GARMIN_TIMEOUT_SECONDS": "4",
            "SPOT_URL": f"{spot}{BASE}",
            "SPOT_FEEDS": FEED,
            "SPOT_RECIPIENTS": f"mum@example.net,{FRIEND}",
            "SPOT_FEED_SECONDS": "2.1",
            "SPOT_POLL_SECONDS": "0.5",
            "SPOT_TIMEOUT_SECONDS": "4",
        }
        url = f"sqlite:///{folder}/store.sqlite3"
        gateway = exits.enter_context(running(url, folder, **settings))
        for owner, number, serial, network in (
            ("ines", "+15550002222", IMEI, "garmin"),
            ("sven", "+15550003333", MESSENGER, "spot"),
        ):
            gateway.satbridge("users", "add", owner, f"--number={number}")
            gateway.satbridge("devices", "add", serial, f"--owner={owner}", f"--network={network}")
        stage = Stage(gateway, garmin.removesuffix("/api"), spot)
        hook = {"url": f"{gateway.http}/satellite/garmin/garmin"}
        called("PUT", f"{stage.garmin}/sim/portal", hook)
        yield stage


def send(gateway: RunningGateway, to: str, subject: str, text: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "alice@example.net", to, subject
    message.set_content(text)
    with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=30) as client:
        client.send_message(message)
