"""The whole web application on a real socket, with a store of its own and routers that do as they are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydantic import SecretStr

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.satellite.providers.garmin.account import GarminAccount
from messaging.simulator.shared.serving import Serving
from messaging.web.admin_server import admin_app
from messaging.web.app import build_app
from messaging.web.metrics_route import MetricsSource
from tests.support.sms.twilio_gateway import Router, account

METRICS_TOKEN = "a token that nobody may see"
GARMIN_TOKEN = "t" * 32


@dataclass
class WebApp:
    """The application at `url`, the admin at `admin`.

    `problem` is why it is not ready, and `asked` how often that was looked up.
    """

    url: str
    router: Router
    problem: str | None = None
    asked: int = 0
    admin: str = ""
    settings: Settings = field(default_factory=lambda: read(Settings))

    async def not_ready(self) -> str | None:
        self.asked += 1
        return self.problem


@contextmanager
def web_app(settings: Settings) -> Iterator[WebApp]:
    """Serve the application with an account of Twilio and one of Garmin."""
    settings = settings.model_copy(update={"metrics_token": SecretStr(METRICS_TOKEN)})
    garmin = read(
        GarminAccount,
        url="http://127.0.0.1:9",
        api_key=SecretStr("k"),
        webhook_token=SecretStr(GARMIN_TOKEN),
    )
    found = WebApp("", Router(), settings=settings)

    async def workers() -> list[dict[str, object]]:
        return []

    app = build_app(
        settings,
        {"twilio": account()},
        {"garmin": garmin},
        found.router.emit,
        found.not_ready,
        MetricsSource((), "replica", workers),
    )
    with Serving(app) as served, Serving(admin_app()) as admin:
        found.url, found.admin = served.url, admin.url
        yield found
