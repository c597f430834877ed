"""A dataflow library on Ray actors: sources, keyed state, windows, remote functions, sinks, and answers to emitters.

Knows nothing of messages or of Django. `StreamingContext` declares, `InlineJob` runs a declaration in one process,
`StreamingContext.submit` runs it on Ray. The gateway imports only the packages `api`, `runtime`, `ray` and `ops`; so
the names of the whole library are imported at their first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from messaging.streaming.api import (
        DeclarationError,
        Graph,
        Handover,
        Instance,
        JobName,
        NotTaken,
        Stage,
        StageFailed,
        StageKind,
        StreamingError,
        WorkerLost,
    )
    from messaging.streaming.context import StreamingContext
    from messaging.streaming.stateful.inline import InlineJob
    from messaging.streaming.stream import DataStream

__all__ = [
    "DataStream",
    "DeclarationError",
    "Graph",
    "Handover",
    "InlineJob",
    "Instance",
    "JobName",
    "NotTaken",
    "Stage",
    "StageFailed",
    "StageKind",
    "StreamingContext",
    "StreamingError",
    "WorkerLost",
]

_LIBRARY = {"DataStream": "stream", "InlineJob": "stateful.inline", "StreamingContext": "context"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LIBRARY.get(name, 'api')}"), name)
