"""Values as bytes, for a process that has to be set up before it may import the modules of the value."""

import pickle
from typing import Any

from ray import cloudpickle


def pack(value: Any) -> bytes:
    """Return the value as bytes; classes and functions of `__main__` are in them. Raises the errors of an object."""
    by_value: Any = cloudpickle
    data: bytes = by_value.dumps(value)
    return data


def unpack(data: bytes) -> Any:
    """Return the value. The bytes come from the gateway's own processes, never from a peer."""
    return pickle.loads(data)  # noqa: S301
