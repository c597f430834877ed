"""The simulated Portal Connect on a free port, accounts at it, and a gateway for its webhooks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from messaging.config.env import read
from messaging.satellite.providers.garmin.account import GarminAccount
from messaging.simulator.garmin.api import GarminDevice
from messaging.simulator.garmin.server import GarminSimulator
from messaging.simulator.shared.serving import Serving
from messaging.web.webhook_routes import routes
from tests.support.sms.twilio_gateway import Router

IMEI = "300434030000001"
OTHER_IMEI = "300434030000002"
API_KEY = "an-api-key-that-is-secret"
TOKEN = "a-token-that-is-secret"
CLIENT_ID = "garmin-ipc"
CLIENT_SECRET = "a-client-secret-of-32-letters-or-more"
OAUTH: dict[str, Any] = {"oauth_client_id": CLIENT_ID, "oauth_client_secret": CLIENT_SECRET}
SOME_DEVICES = (GarminDevice(IMEI), GarminDevice(OTHER_IMEI))


def garmin_account(url: str = "http://127.0.0.1:9/api", **settings: Any) -> GarminAccount:
    fields = {"api_key": API_KEY, "webhook_token": TOKEN, "timeout_seconds": 20}
    return read(GarminAccount, url=url, **{**fields, **settings})


@dataclass(frozen=True)
class GarminServer:
    simulator: GarminSimulator
    url: str

    def account(self, **settings: Any) -> GarminAccount:
        return garmin_account(f"{self.url}/api", **settings)

    def switch(self, method: str, path: str, content: Any = None, *, status: int = 200) -> Any:
        with httpx.Client(trust_env=False, timeout=30) as client:
            answer = client.request(method, f"{self.url}/sim/{path}", json=content)
        assert answer.status_code == status, answer.text
        return answer.json()

    def event(self, *events: dict[str, Any], **event: Any) -> dict[str, Any]:
        """Post events of a device; return the result of the first post."""
        content = [{"imei": IMEI, **one} for one in events] or {"imei": IMEI, **event}
        found: dict[str, Any] = self.switch("POST", "events", content, status=201)
        return found

    def portal(self, **settings: Any) -> None:
        self.switch("PUT", "portal", settings)

    def feed(self) -> dict[str, Any]:
        found: dict[str, Any] = self.switch("GET", "feed")
        return found

    def texts(self) -> list[tuple[str, str]]:
        return [(one.sender, one.text) for one in self.simulator.inbound.downlinks]


@contextmanager
def garmin_at(simulator: GarminSimulator) -> Iterator[GarminServer]:
    with Serving(simulator.app) as server:
        yield GarminServer(simulator, server.url)


@contextmanager
def gateway_for(account: GarminAccount, router: Router) -> Iterator[str]:
    """Serve the webhook of this account, and yield its URL."""
    app = FastAPI()
    with Serving(app) as server:
        app.include_router(routes({}, {account.name: account}, router.emit, server.url))
        yield f"{server.url}/satellite/garmin/{account.name}"
