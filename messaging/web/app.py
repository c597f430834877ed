"""The web application: webhooks, health and metrics. Plain ASGI, without Ray."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from functools import partial

from fastapi import FastAPI
from starlette.responses import JSONResponse
from starlette.routing import Route

from messaging.config.settings import Settings
from messaging.model.message import Emit
from messaging.satellite.account import SatelliteAccount
from messaging.sms.account import SmsAccount
from messaging.store.admission.links import HELD_PATH, MAILBOX_PATH, REST_PATH
from messaging.store.db.health import write_problem
from messaging.web.front.answers import NotAllowed, not_found
from messaging.web.front.pages import READ
from messaging.web.front.serve_proxy import MarkedAnswers
from messaging.web.metrics_route import MetricsSource, metrics_route
from messaging.web.pages.held import decision_routes
from messaging.web.pages.mailbox import mailbox_routes
from messaging.web.pages.rest import rest_routes
from messaging.web.readiness import CachedReadiness, NotReady
from messaging.web.webhook_routes import Answered, routes


def build_app(
    settings: Settings,
    sms: Mapping[str, SmsAccount],
    satellites: Mapping[str, SatelliteAccount],
    emit: Emit,
    not_ready: NotReady,
    measured: MetricsSource,
) -> FastAPI:
    """Return the application. `/healthz` answers while the process runs, `/readyz` with 503 unless it accepts messages.

    `/held/…` is the page behind the link about a held message, `/mailbox/…` the one that confirms a mailbox,
    `/rest/…` the one about the rest of a long text.
    `/metrics` exists when a token for it is set.
    A path that exists answers other methods with 405 and `Allow`.
    Every other path is 404, `/admin` too.
    """
    app = FastAPI(title="Satbridge", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(MarkedAnswers)
    answered: Counter[Answered] = Counter()
    app.include_router(routes(sms, satellites, emit, settings.public_url, answered))
    if settings.metrics_token is not None:
        app.include_router(metrics_route(settings.metrics_token, measured, answered))

    app.include_router(decision_routes(settings))
    app.include_router(mailbox_routes(settings))
    app.include_router(rest_routes(settings))
    readiness = CachedReadiness(not_ready, partial(asyncio.to_thread, write_problem, settings))

    @app.api_route("/healthz", methods=list(READ))
    async def alive() -> dict[str, str]:
        return {"status": "alive"}

    @app.api_route("/readyz", methods=list(READ))
    async def ready() -> JSONResponse:
        reason = await readiness.reason()
        if reason is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "reason": reason}, status_code=503)

    for path in ("/healthz", "/readyz"):
        app.router.routes.append(Route(path, NotAllowed(READ)))
    for path in (HELD_PATH, MAILBOX_PATH, REST_PATH):
        app.router.routes.append(Route(path, NotAllowed(("GET", "POST"))))
    app.mount("/", not_found)  # the admin has a socket of its own: `admin_server`
    return app
