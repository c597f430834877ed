"""Runs a job that a Java program declared with `io.ray.streaming`: declares it in Python, and submits it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from messaging.streaming.context import StreamingContext
from messaging.streaming.java.java_stream import JavaStream
from messaging.streaming.stream import DataStream

Verb = Sequence[Any]
"""The number of the stream it is called on, the language, the name of the verb, its arguments."""

Option = Sequence[str]
"""A key and a value."""

Stream = JavaStream | DataStream[Any]

_SETTINGS = ("set_parallelism", "disable_chain", "with_config", "with_resource")


class JavaJob:
    """The Ray actor that `StreamingContext.submit` of the Java API starts; it owns the job."""

    def __init__(self, name: str, verbs: Sequence[Verb], options: Sequence[Option]) -> None:
        self._job = declare(verbs, options).submit(name)

    def is_running(self) -> bool:
        """Return true: the constructor has submitted the job."""
        return True

    def wait(self) -> bool:
        """Return at the end of the job, and whether no record was set aside."""
        self._job.wait()
        return not self._job.dead_letters()

    def stop(self) -> bool:
        """End the job at once."""
        self._job.stop()
        return True


def declare(verbs: Sequence[Verb], options: Sequence[Option] = ()) -> StreamingContext:
    """Call the verbs, each on the stream that an earlier one made. Raises DeclarationError, ImportError."""
    context = StreamingContext.Builder().option(conf={key: value for key, value in options}).build()
    streams: list[Stream] = []
    for number, language, verb, arguments in verbs:
        if verb == "from_values":
            streams.append(JavaStream(context.from_values(*arguments)))
            continue
        stream = streams[number] if verb in _SETTINGS else _in_language(language, streams[number])
        if verb == "union":
            arguments = [_in_language(language, streams[other]) for other in arguments]
        elif language == "python" and verb not in _SETTINGS:
            module, function = arguments
            arguments = [getattr(import_module(module), function)]
        streams.append(getattr(stream, verb)(*arguments))
    return context


def _in_language(language: str, stream: Stream) -> Stream:
    if language == "java":
        return stream if isinstance(stream, JavaStream) else stream.as_java_stream()
    return stream.as_python_stream() if isinstance(stream, JavaStream) else stream
