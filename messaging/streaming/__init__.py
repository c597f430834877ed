"""A thin dataflow layer on Ray actors: sources, keyed operators, remote functions, sinks, and answers that travel back.

Knows nothing of messages or of Django. `StreamingContext` declares, `InlineJob` runs a declaration in one process,
`messaging.streaming.ray.launch.submit` runs it on Ray.
"""

from messaging.streaming.api.context import StreamingContext
from messaging.streaming.api.errors import (
    DeclarationError,
    NotTaken,
    StageFailed,
    StreamingError,
    WorkerLost,
)
from messaging.streaming.api.graph import Graph, Handover, Instance, Kind, Stage
from messaging.streaming.api.names import JobName
from messaging.streaming.api.stream import DataStream
from messaging.streaming.runtime.inline import InlineJob

__all__ = [
    "DataStream",
    "DeclarationError",
    "Graph",
    "Handover",
    "InlineJob",
    "Instance",
    "JobName",
    "Kind",
    "NotTaken",
    "Stage",
    "StageFailed",
    "StreamingContext",
    "StreamingError",
    "WorkerLost",
]
