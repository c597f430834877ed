"""Records, keys and state as bytes."""

import io
import pickle
from typing import Any

from ray import cloudpickle

_STREAMING = "messaging.streaming"
RENAMED_CLASSES = {
    (f"{_STREAMING}.window_steps", "Window"): (f"{_STREAMING}.windows.window_steps", "Window"),
    (f"{_STREAMING}.kafka", "KafkaRecord"): (f"{_STREAMING}.connectors.kafka", "KafkaRecord"),
    (f"{_STREAMING}.guard", "SetAside"): (f"{_STREAMING}.stateful.guard", "FailedRecord"),
}
"""Classes of the library within stored state: the module and name that older versions wrote, and today's."""


def dumps(value: Any) -> bytes:
    """Return the value as bytes. Raises the error of an object that cannot be pickled."""
    try:
        return pickle.dumps(value, protocol=5)
    except Exception:
        # Classes and functions of __main__, or of a test, are not found again by name in another process.
        by_value: Any = cloudpickle
        data: bytes = by_value.dumps(value)
        return data


def loads(data: bytes) -> Any:
    """Return the value. The bytes come from our own store and our own workers; never from a peer."""
    try:
        return pickle.loads(data)  # noqa: S301
    except (ModuleNotFoundError, AttributeError):
        return _OlderUnpickler(io.BytesIO(data)).load()


class _OlderUnpickler(pickle.Unpickler):
    """Finds the classes of older versions under their names of today."""

    def find_class(self, module: str, name: str) -> Any:
        return super().find_class(*RENAMED_CLASSES.get((module, name), (module, name)))
