"""The web application: webhooks, health, metrics and Django's pages. Plain ASGI, without Ray."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.core.asgi import get_asgi_application
from fastapi import FastAPI
from starlette.responses import JSONResponse

from messaging.config.settings import Settings
from messaging.model.message import Emit
from messaging.satellite.account import SatelliteAccount
from messaging.sms.account import SmsAccount
from messaging.store.db.health import write_problem
from messaging.web.metrics_route import MetricsSource, metrics_route
from messaging.web.webhook_routes import Answered, routes

NotReady = Callable[[], Awaitable[str | None]]
"""Returns in a few words why the gateway accepts nothing now; None when it accepts mail and webhooks."""


def build_app(
    settings: Settings,
    sms: Mapping[str, SmsAccount],
    satellites: Mapping[str, SatelliteAccount],
    emit: Emit,
    not_ready: NotReady,
    measured: MetricsSource,
) -> FastAPI:
    """Return the application. `/healthz` answers while the process runs, `/readyz` with 503 unless it accepts messages.

    `/metrics` exists when a token for it is set.
    """
    app = FastAPI(title="Satbridge", docs_url=None, redoc_url=None, openapi_url=None)
    answered: Counter[Answered] = Counter()
    app.include_router(routes(sms, satellites, emit, settings.public_url, answered))
    if settings.metrics_token is not None:
        app.include_router(metrics_route(settings.metrics_token, measured, answered))

    @app.get("/healthz")
    async def alive() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz")
    async def ready() -> JSONResponse:
        reason = await not_ready() or await asyncio.to_thread(write_problem)
        if reason is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "reason": reason}, status_code=503)

    django: Any = get_asgi_application()  # typed by its own ASGI types
    app.mount("/", django)
    return app
