"""Declares dataflows as values: `Dataflow` and `Stream` with the verbs of the gateway. Knows no runtime."""

from messaging.streaming.api.dataflow import Dataflow
from messaging.streaming.api.errors import (
    DeclarationError,
    NotTaken,
    StageFailed,
    StreamingError,
    WorkerLost,
)
from messaging.streaming.api.graph import Graph, JobName
from messaging.streaming.api.stage import Handover, Instance, Stage, StageKind
from messaging.streaming.api.stream import Stream

__all__ = [
    "Dataflow",
    "DeclarationError",
    "Graph",
    "Handover",
    "Instance",
    "JobName",
    "NotTaken",
    "Stage",
    "StageFailed",
    "StageKind",
    "Stream",
    "StreamingError",
    "WorkerLost",
]
