"""What the dataflow layer itself can raise. Refusals of a user's operator travel as they are, record by record."""

import traceback


class StreamingError(Exception):
    """The record was not taken, for a reason that lies in the dataflow and not in the record."""


class WorkerLost(StreamingError):
    """The worker died or cannot be reached: what was handed to it may or may not have been done."""


class StageFailed(StreamingError):
    """The operator raised, for a whole batch. Carries the type of the error; the worker's log has the rest."""


class NotTaken(StreamingError):
    """No answer came while the emitter was willing to wait. The record may still be taken later.

    Its text names the stage, and is meant to be read.
    """

    for_people = True


class Late(StreamingError):
    """The record came after its windows were over. Trying again cannot help."""


class DeclarationError(ValueError):
    """The declared graph makes no sense. The text names the stage."""


def whereabouts(error: BaseException) -> str:
    """Return the type of an error and where it was raised.

    Not its text, which may quote what nobody may log; unless the error says of itself, by a true `for_people`,
    that its text is meant to be read.
    """
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    path = " > ".join(f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno}" for frame in frames)
    text = f" ({error})" if getattr(error, "for_people", False) else ""
    return f"{type(error).__name__}{text} at {path}" if path else type(error).__name__ + text
