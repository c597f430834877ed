"""A Ray cluster of two nodes on this machine, whose head keeps its tables on disk (GCS fault tolerance, RocksDB)."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from chaos.processes import kill_tree, tree
from tests.acceptance.running_gateway import free_port

START_SECONDS = 60.0
RAY = Path(sys.executable).with_name("ray")
NODE = ["--node-ip-address=127.0.0.1", "--min-worker-port=0", "--max-worker-port=0"]
SIZE = ["--num-cpus=4", f"--object-store-memory={150 * 1024 * 1024}"]


class Cluster:
    """A context manager; `address` is where to join, with `environment` in the environment."""

    def __init__(self) -> None:
        self._exits = ExitStack()
        self._port = free_port()
        self.address = f"127.0.0.1:{self._port}"
        # Ray makes sockets below it, whose paths must be short; and no other Ray may take this for its cluster.
        temporary = TemporaryDirectory(prefix="sbc-", ignore_cleanup_errors=True)
        self._folder = self._exits.enter_context(temporary)
        # Said outright for every process: what Ray assumes differs between `ray start` and a driver that joins.
        self.environment = {
            "RAY_AUTH_MODE": "disabled",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "0.5",
            "RAY_gcs_storage": "rocksdb",
            "RAY_gcs_storage_path": f"{self._folder}/gcs",
        }
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Cluster":
        self._exits.callback(self._end)
        self.start_head()
        self._nodes["second"] = self._start(f"--address={self.address}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exits.close()

    def start_head(self) -> None:
        """Start the head, again too, and wait until it answers. Raises TimeoutError."""
        # Here the second node's processes name the same address; Ray would take them for a head that still runs.
        (Path(self._folder) / "ray_current_cluster").unlink(missing_ok=True)
        place = [f"--port={self._port}", f"--temp-dir={self._folder}", "--include-dashboard=false"]
        self._nodes["head"] = self._start("--head", *place)
        deadline = time.monotonic() + START_SECONDS
        while self._run("health-check", f"--address={self.address}"):
            if time.monotonic() > deadline:
                raise TimeoutError("the Ray head does not start")
            time.sleep(0.5)

    def processes(self, node: str) -> set[int]:
        """The processes of the node "head" or "second"."""
        return set(tree(self._nodes[node].pid))

    def kill(self, node: str) -> int:
        """SIGKILL everything on a node; returns how many processes that were."""
        killed = kill_tree(self._nodes[node].pid)
        self._nodes[node].wait(20)
        return killed

    def _start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [str(RAY), "start", "--block", *arguments, *NODE, *SIZE],
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a node that ends takes its process group with it
        )

    def _run(self, *arguments: str) -> int:
        environment = {**os.environ, **self.environment}
        return subprocess.run(
            [str(RAY), *arguments], env=environment, capture_output=True
        ).returncode

    def _end(self) -> None:
        for node in self._nodes:
            self.kill(node)
