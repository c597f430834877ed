"""The web application of a job on Ray, built in the process that serves it: it feeds an inlet and asks the actors."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import FastAPI

from messaging.gateway import Gateway
from messaging.model.message import Emit
from messaging.streaming.api import Graph, JobName, StreamingError
from messaging.streaming.api.placement import Placement
from messaging.streaming.ops.status import StageStatus, job_status
from messaging.streaming.ray.ray_runtime import open_inlet
from messaging.streaming.runtime.output import Output
from messaging.web.app import build_app
from messaging.web.metrics_route import MetricsSource, Workers
from messaging.web.readiness import receiver_readiness

PROBE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class RunningJob:
    """The job that the web server belongs to: its name, placement, and the instances of each of its processes."""

    name: JobName
    placement: Placement
    instances: Mapping[str, Sequence[str]]


def build_job_app(
    gateway: Gateway, job: RunningJob, view: Graph, inlet: str, watched: str
) -> FastAPI:
    """Build the application. `watched` is the stage that shows draining."""
    settings = gateway.settings
    emit = _inlet_emit(job, view, inlet, settings.accept_seconds)
    probing = _inlet_emit(job, view, inlet, PROBE_SECONDS)
    stage = StageStatus(job.name, watched, job.placement)
    not_ready = receiver_readiness(partial(stage.status, PROBE_SECONDS), probing)
    measured = MetricsSource(
        tuple(gateway.capacity), uuid.uuid4().hex[:8], _workers(job), settings.lease_seconds
    )
    return build_app(settings, gateway.sms, gateway.satellites, emit, not_ready, measured)


def _inlet_emit(job: RunningJob, graph: Graph, inlet: str, patience_seconds: float) -> Emit:
    """Return a function that opens the inlet at its first record: only then does the event loop of the replica run."""
    opened: list[Output] = []

    async def emit(record: Any) -> None:
        if not opened:
            number = uuid.uuid4().int % 1000
            opened.append(
                open_inlet(job.name, graph, inlet, number, patience_seconds, job.placement)
            )
        await opened[0].emit(record)

    return emit


def _workers(job: RunningJob) -> Workers:
    async def workers() -> list[dict[str, Any]]:
        try:
            return await job_status(job.name, PROBE_SECONDS, job.instances)
        except StreamingError:
            return []

    return workers
