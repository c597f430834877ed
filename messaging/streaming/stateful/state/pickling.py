"""Records, keys and state as bytes."""

import pickle
from typing import Any

from ray import cloudpickle


def dumps(value: Any) -> bytes:
    """Return the value as bytes. Raises whatever an unwilling object raises."""
    try:
        return pickle.dumps(value, protocol=5)
    except Exception:
        # Classes and functions of __main__, or of a test, are not found again by name in another process.
        by_value: Any = cloudpickle
        data: bytes = by_value.dumps(value)
        return data


def loads(data: bytes) -> Any:
    """Return the value. The bytes come from our own store and our own workers; never from a peer."""
    return pickle.loads(data)  # noqa: S301
