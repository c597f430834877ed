"""The errors of the dataflow layer itself. Refusals by a user's operator travel as they are, record by record."""

import traceback
from typing import Protocol, runtime_checkable


class StreamingError(Exception):
    """The record was not taken, for a reason that lies in the dataflow and not in the record."""


class WorkerLost(StreamingError):
    """The worker died or cannot be reached: the records handed to it may or may not have been processed."""


class StageFailed(StreamingError):
    """The operator raised, for a whole batch. Carries the type of the error; the worker's log has the rest."""


class NotTaken(StreamingError):
    """No answer came while the emitter was willing to wait. The record may still be taken later.

    Its text names the stage, and is meant to be read.
    """

    for_people = True


class Late(StreamingError):
    """The record came after its windows were over. Another try cannot help."""


class DeclarationError(ValueError):
    """The declared graph makes no sense. The text names the stage."""


@runtime_checkable
class HasReadableText(Protocol):
    """An error that says by a true `for_people` that its text quotes nothing secret."""

    for_people: bool


def whereabouts(error: BaseException) -> str:
    """Return the type of an error and the place that raised it; its text only for one that `HasReadableText`."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    path = " > ".join(f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno}" for frame in frames)
    readable = isinstance(error, HasReadableText) and error.for_people
    text = f"{type(error).__name__} ({error})" if readable else type(error).__name__
    return f"{text} at {path}" if path else text
