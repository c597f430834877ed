"""A job that a Java program declared with `io.ray.streaming`: declared anew in Python, and run from this actor."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from messaging.streaming.context import StreamingContext
from messaging.streaming.java_stream import JavaStream
from messaging.streaming.stream import DataStream

Verb = Sequence[Any]
"""The number of the stream it is called on, the language, the name of the verb, its arguments."""


class JavaJob:
    """The Ray actor that `StreamingContext.submit` of the Java API starts; it owns the job."""

    def __init__(self, name: str, verbs: Sequence[Verb]) -> None:
        self._job = declare(verbs).submit(name)

    def standing(self) -> bool:
        """Tell that the job runs."""
        return True

    def wait(self) -> bool:
        """Return at the end of the job, and whether no record was set aside."""
        self._job.wait()
        return not self._job.set_aside()

    def stop(self) -> bool:
        """End the job at once."""
        self._job.stop()
        return True


def declare(verbs: Sequence[Verb]) -> StreamingContext:
    """Call the verbs, each on the stream that an earlier one made. Raises DeclarationError, ImportError."""
    context = StreamingContext()
    streams: list[DataStream[Any]] = []
    for number, language, verb, arguments in verbs:
        if verb == "from_values":
            streams.append(context.from_values(*arguments))
        elif verb == "set_parallelism":
            streams.append(streams[number].set_parallelism(*arguments))
        elif language == "java":
            applied: JavaStream = getattr(JavaStream(streams[number]), verb)(*arguments)
            streams.append(applied.python)
        else:
            module, function = arguments
            streams.append(getattr(streams[number], verb)(getattr(import_module(module), function)))
    return context
