"""The simulators of RockBLOCK and Cloudloop on free ports, and a gateway for their webhooks."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from messaging.config.env import read
from messaging.model.message import DeadLetter, DeviceReport, Inbound, Message
from messaging.satellite.account import SatelliteAccount
from messaging.satellite.providers.cloudloop.account import CloudloopAccount
from messaging.satellite.providers.rockblock.account import RockblockAccount
from messaging.simulator.cloudloop.server import CloudloopSimulator
from messaging.simulator.rockblock.server import RockblockSimulator
from messaging.simulator.shared.modems import Modem
from messaging.simulator.shared.serving import Serving
from messaging.web.webhook_routes import routes
from tests.support.sms.twilio_gateway import Router

IMEI = "300234010753370"
THING = "DgXeoxwVPMyrdOBJeEGlqKRJLbajQkzZ"
TOKEN = "f7ba9e62-a-token-that-is-secret"
PASSWORD = "a-password-that-is-secret"
SECRET = "s3cret-in-the-path"
MAIL = [{"to": "bob@example.net", "text": "Anchored at noon", "protocol": "email"}]


@dataclass(frozen=True)
class RockblockServer:
    simulator: RockblockSimulator
    url: str

    def account(self, **settings: Any) -> RockblockAccount:
        fields = {
            "url": f"{self.url}/rockblock",
            "username": "boss",
            "password": PASSWORD,
            "timeout_seconds": 20,
        }
        return read(RockblockAccount, **{**fields, **settings})

    def account_with_key(self, **settings: Any) -> RockblockAccount:
        """Return an account that checks tokens with the simulator's key."""
        return self.account(public_key=self.simulator.public_key, **settings)

    def uplink(self, **uplink: Any) -> dict[str, Any]:
        """Simulate a session; return the result of the first try of the webhook."""
        return post(f"{self.url}/sim/uplinks", {"imei": IMEI, **uplink})

    def downlinks(self) -> list[bytes]:
        return [d.data for d in self.simulator.modems.downlinks() if d.state == "delivered"]


@dataclass(frozen=True)
class CloudloopServer:
    simulator: CloudloopSimulator
    url: str

    def account(self, **settings: Any) -> CloudloopAccount:
        fields = {
            "url": self.url,
            "token": TOKEN,
            "webhook_secret": SECRET,
            "timeout_seconds": 20,
        }
        return read(CloudloopAccount, **{**fields, **settings})

    def uplink(self, **uplink: Any) -> dict[str, Any]:
        """Simulate a session; return the result of the first try of the webhook."""
        return post(f"{self.url}/sim/uplinks", {"imei": IMEI, **uplink})

    def downlinks(self) -> list[tuple[bytes, str]]:
        delivered = [d for d in self.simulator.modems.downlinks() if d.state == "delivered"]
        return [(d.data, d.carried) for d in delivered]


def post(url: str, content: Mapping[str, Any]) -> dict[str, Any]:
    with httpx.Client(trust_env=False, timeout=20) as client:
        answer = client.post(url, json=content)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@contextlib.contextmanager
def rockblock(*modems: Modem, **options: Any) -> Iterator[RockblockServer]:
    simulator = RockblockSimulator(
        modems or [Modem(IMEI)],
        username="boss",
        password=PASSWORD,
        **{"waits_seconds": [0.05] * 5, **options},
    )
    with rockblock_at(simulator) as server:
        yield server


@contextlib.contextmanager
def rockblock_at(simulator: RockblockSimulator) -> Iterator[RockblockServer]:
    with Serving(simulator.app) as server:
        yield RockblockServer(simulator, server.url)


@contextlib.contextmanager
def cloudloop(*modems: Modem, **options: Any) -> Iterator[CloudloopServer]:
    simulator = CloudloopSimulator(
        modems or [Modem(IMEI, thing=THING)],
        token=TOKEN,
        **{"waits_seconds": [0.05] * 5, **options},
    )
    with cloudloop_at(simulator) as server:
        yield server


@contextlib.contextmanager
def cloudloop_at(simulator: CloudloopSimulator) -> Iterator[CloudloopServer]:
    with Serving(simulator.app) as server:
        yield CloudloopServer(simulator, server.url)


@contextlib.contextmanager
def gateway(router: Router, account: SatelliteAccount) -> Iterator[str]:
    """Serve the webhook of one account, and yield its URL."""
    app = FastAPI()
    app.include_router(routes({}, {account.name: account}, router.emit, "https://example.org"))
    with Serving(app) as served:
        yield f"{served.url}/satellite/{account.provider()}/{account.name}"


def messages(router: Router) -> list[Message]:
    return [record for record in router.all() if isinstance(record, Message)]


def device_reports(router: Router) -> list[DeviceReport]:
    return [record for record in router.all() if isinstance(record, DeviceReport)]


def dead_letters(stored: list[Inbound]) -> list[DeadLetter]:
    return [record for record in stored if isinstance(record, DeadLetter)]
