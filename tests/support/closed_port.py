"""A port on which no program listens."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def closed_port(scheme: str = "http") -> Iterator[str]:
    """A URL at which no program listens or can listen meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"{scheme}://127.0.0.1:{taken.getsockname()[1]}"
