"""A Redis in which the head of a Ray cluster keeps its tables."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.acceptance.running_gateway import free_port

START_SECONDS = 20.0


def has_redis() -> bool:
    """Whether this machine has redis-server."""
    return shutil.which("redis-server") is not None


@contextmanager
def redis_server() -> Iterator[Mapping[str, str]]:
    """Run a server; yield the variables for the head. Every write is on disk before it is acknowledged."""
    port = free_port()
    with TemporaryDirectory(prefix="sbr-") as folder:
        kept = ["--dir", folder, "--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        arguments = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), *kept]
        with subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as server:
            try:
                _wait_for(Path(folder) / "appendonlydir")
                yield {"RAY_REDIS_ADDRESS": f"127.0.0.1:{port}"}
            finally:
                server.terminate()


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError("Redis does not start")
        time.sleep(0.1)
