"""A thin dataflow layer on Ray actors: sources, keyed operators, remote functions, sinks, and answers that travel back.

Knows nothing of messages or of Django. `StreamingContext` declares, `InlineJob` runs a declaration in one process,
`messaging.streaming.launch.submit` runs it on Ray.
"""

from messaging.streaming.context import StreamingContext
from messaging.streaming.errors import (
    DeclarationError,
    NotTaken,
    StageFailed,
    StreamingError,
    WorkerLost,
)
from messaging.streaming.graph import Graph, Handover, Instance, Kind, Stage
from messaging.streaming.inline import InlineJob
from messaging.streaming.names import JobName
from messaging.streaming.stream import DataStream

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
