"""The context of the library: declares a dataflow of any stages, and submits it to Ray."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from messaging.streaming.api.dataflow import Dataflow
from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.functions import Transform
from messaging.streaming.api.logical import declared_at
from messaging.streaming.api.stage import Handover, Stage, StageKind
from messaging.streaming.connectors.sources import TextFile, Values
from messaging.streaming.java.java_planner import JavaPlanner
from messaging.streaming.stateful.job import Job
from messaging.streaming.stateful.launch import Savepoint, launch
from messaging.streaming.stateful.steps import TransformStep
from messaging.streaming.stream import DataStream

log = logging.getLogger(__name__)

KNOWN_OPTIONS = ("state",)


class StreamingContext(Dataflow):
    """A declaration of a dataflow: sources first, then the verbs on their streams."""

    planner = JavaPlanner

    class Builder:
        """Makes a context; `option` adds a setting of the job."""

        def __init__(self) -> None:
            self._options: dict[str, str] = {}

        def option(
            self,
            key: str | None = None,
            value: object = None,
            *,
            conf: Mapping[str, object] | None = None,
        ) -> StreamingContext.Builder:
            """Add one option, or all of `conf`, as text. Functions find them in their context's `job_config`.

            The library itself reads `state`, the URL of the state store (see `stores.open_store`).
            Raises DeclarationError for a value of None; an empty text is a value.
            """
            added = dict(conf or {}) | ({key: value} if key is not None else {})
            for name, one in added.items():
                if one is None:
                    raise DeclarationError(f"option {name!r} has no value")
                if name not in KNOWN_OPTIONS:
                    log.info("option %s is not one of the library's own; it is kept", name)
                self._options[name] = str(one)
            return self

        def build(self) -> StreamingContext:
            """Return the context."""
            return StreamingContext(self._options)

    # -- sources

    def source(self, name: str, make: Callable[[], Any], parallelism: int = 1) -> DataStream[Any]:
        """See Dataflow. An operator with `read` instead of `run` is declared with `read_from`."""
        return DataStream(self, super().source(name, make, parallelism).inputs)

    def inlet(self, name: str) -> DataStream[Any]:
        """See Dataflow."""
        return DataStream(self, super().inlet(name).inputs)

    def read_from(
        self, make: Callable[[], Any], name: str = "", parallelism: int = 1
    ) -> DataStream[Any]:
        """Declare a source that is read by position (`steps.PositionedSource`), and resumes where it was committed."""
        name = name or self.fresh_name("source")
        stage = Stage(name=name, kind=StageKind.READER, make=make)
        return DataStream(self, self.add_source(stage, parallelism))

    def from_values(self, *values: Any) -> DataStream[Any]:
        """Declare a source of these values, which its instances split among them; it ends after the last."""
        return self.read_from(Values(values), self.fresh_name("values"))

    def from_collection(self, values: Collection[Any]) -> DataStream[Any]:
        """`from_values` of the present contents of the collection. Raises DeclarationError for an empty one."""
        if not values:
            raise DeclarationError(f"an empty collection (declared at {declared_at()})")
        return self.from_values(*values)

    def read_text_file(self, path: object) -> DataStream[str]:
        """Declare a source of the lines of a file that every instance can open; each instance reads a part of it."""
        return self.read_from(TextFile(str(path)), self.fresh_name("file"))

    # -- the whole

    def submit(self, name: str, savepoint: Savepoint = None) -> Job:
        """Run the dataflow on Ray, which is started if need be, and return the job. See `launch.launch`."""
        return launch(self.graph(), name, savepoint)

    def execute(self, name: str) -> Job:
        """`submit`, and return when the job has ended."""
        job = self.submit(name)
        job.wait()
        return job

    # -- for the streams

    def transform_stage(self, transform: Transform, handover: Handover) -> Stage:
        """See Dataflow. The stage commits what the function did, as every stage of the library does."""
        make = partial(TransformStep, transform)
        return Stage(name=transform.name, kind=StageKind.STATEFUL, make=make, handover=handover)
