"""The web application of a job on Ray, built in the process that serves it: it feeds an inlet and asks the actors."""

import uuid
from functools import partial
from typing import Any

from fastapi import FastAPI

from messaging.gateway import Gateway
from messaging.model.message import Emit
from messaging.streaming.api import Graph, JobName, StreamingError
from messaging.streaming.ops.status import StageStatus, job_status
from messaging.streaming.ray.ray_runtime import open_inlet
from messaging.streaming.runtime.output import Output
from messaging.web.app import build_app
from messaging.web.metrics_route import MetricsSource, Workers
from messaging.web.readiness import receiver_readiness

PROBE_SECONDS = 3.0


def build_job_app(
    gateway: Gateway, name: JobName, view: Graph, inlet: str, watched: str
) -> FastAPI:
    """Build the application. `watched` is the stage that shows draining."""
    settings = gateway.settings
    emit = _inlet_emit(name, view, inlet, settings.accept_seconds)
    probing = _inlet_emit(name, view, inlet, PROBE_SECONDS)
    stage = StageStatus(name, watched)
    not_ready = receiver_readiness(partial(stage.status, PROBE_SECONDS), probing)
    measured = MetricsSource(
        tuple(gateway.capacity), uuid.uuid4().hex[:8], _workers(name), settings.lease_seconds
    )
    return build_app(settings, gateway.sms, gateway.satellites, emit, not_ready, measured)


def _inlet_emit(name: JobName, graph: Graph, inlet: str, patience_seconds: float) -> Emit:
    """Return a function that opens the inlet at its first record: only then does the event loop of the replica run."""
    opened: list[Output] = []

    async def emit(record: Any) -> None:
        if not opened:
            opened.append(open_inlet(name, graph, inlet, uuid.uuid4().int % 1000, patience_seconds))
        await opened[0].emit(record)

    return emit


def _workers(name: JobName) -> Workers:
    async def workers() -> list[dict[str, Any]]:
        try:
            return await job_status(name, PROBE_SECONDS)
        except StreamingError:
            return []

    return workers
