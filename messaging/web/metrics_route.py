"""The route `/metrics`: its token, and the statuses and queues that it collects."""

import asyncio
import hmac
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import SecretStr
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from messaging.errors import GatewayError
from messaging.store.budgets.warnings import count_reached
from messaging.store.console.queues import Queue, count_held, queues, sendable
from messaging.web.front.answers import NotAllowed
from messaging.web.front.pages import READ
from messaging.web.metrics import Snapshot, exposition
from messaging.web.webhook_routes import Answered

log = logging.getLogger(__name__)

STORE_SECONDS = 5.0

Workers = Callable[[], Awaitable[Sequence[dict[str, Any]]]]
"""Returns the status of every worker."""


@dataclass(frozen=True, slots=True)
class MetricsSource:
    """The accounts, this replica of the web server, the workers that are measured, and how long a lease lasts."""

    vias: Sequence[str]
    replica: str
    workers: Workers
    lease_seconds: float = 120


def metrics_route(
    token: SecretStr, measured: MetricsSource, answered: Counter[Answered]
) -> APIRouter:
    """Return `GET /metrics`: 401 for a request without the token. Answers within some seconds."""
    router = APIRouter()

    @router.api_route("/metrics", methods=list(READ), include_in_schema=False)
    async def metrics(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(given, f"Bearer {token.get_secret_value()}".encode()):
            return PlainTextResponse("not allowed", 401, headers={"WWW-Authenticate": "Bearer"})
        workers, stored = await asyncio.gather(measured.workers(), _read_store(measured))
        waiting, could_go, holding, reached = stored or (None, None, None, None)
        snapshot = Snapshot(
            now=datetime.now(UTC),
            vias=measured.vias,
            workers=workers,
            queues=waiting,
            sendable=could_go,
            webhooks=answered,
            replica=measured.replica,
            held=holding,
            budgets=reached,
        )
        return Response(exposition(snapshot), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    router.routes.append(Route("/metrics", NotAllowed(READ)))
    return router


_Stored = tuple[list[Queue], set[str], tuple[int, float], dict[int, int]]


async def _read_store(measured: MetricsSource) -> _Stored | None:
    def read() -> _Stored:
        could_go = sendable(measured.vias, measured.lease_seconds)
        return queues(), could_go, count_held(), count_reached(datetime.now(UTC))

    try:
        async with asyncio.timeout(STORE_SECONDS):
            return await asyncio.to_thread(read)
    except (GatewayError, TimeoutError) as error:
        log.warning("no figures of the queues: %s", type(error).__name__)
        return None
