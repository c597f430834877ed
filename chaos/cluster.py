"""A Ray cluster of several nodes on this machine, whose head keeps its tables (GCS fault tolerance)."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import IO

from chaos.agents import tell_agent_port
from chaos.processes import kill_tree, tree
from tests.support.ports import free_port

START_SECONDS = 180.0
RAY = Path(sys.executable).with_name("ray")
NODE = ["--node-ip-address=127.0.0.1", "--min-worker-port=0", "--max-worker-port=0"]
AGENTS = ("dashboard-agent-grpc", "dashboard-agent-listen", "metrics-export", "runtime-env-agent")
MEMORY = f"--object-store-memory={150 * 1024 * 1024}"
WORKERS: Mapping[str, Mapping[str, float]] = {"second": {"smtp": 1}, "third": {"smtp": 1}}


class Cluster:
    """A context manager; `address` is where to join, with `environment` in the environment.

    The head runs no work of ours, as KubeRay recommends. `workers` are the other nodes by name, with their custom
    resources. `tables` is where the head keeps what it knows: more environment; by default a RocksDB on disk.
    """

    def __init__(
        self,
        workers: Mapping[str, Mapping[str, float]] = WORKERS,
        tables: Mapping[str, str] | None = None,
    ) -> None:
        self.workers = workers
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
            "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
            "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "messaging.web.front.serve_proxy:middlewares",
            # A process that is gone is seen at the first look; one that is slow has five times ten seconds.
            "RAY_health_check_period_ms": "500",
            "RAY_worker_niceness": "0",
            # How long nodes, actors and drivers wait for a head that is away.
            "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
            **(tables or self._on_disk()),
        }
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Cluster":
        self._exits.callback(self._end)
        self.start_head()
        for worker in self.workers:
            self.start_worker(worker)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exits.close()

    def start_head(self) -> None:
        """Start or restart the head and wait until it answers. Raises TimeoutError."""
        # Here the second node's processes name the same address; Ray would take them for a head that still runs.
        (Path(self._folder) / "ray_current_cluster").unlink(missing_ok=True)
        place = [f"--port={self._port}", f"--temp-dir={self._folder}", "--include-dashboard=false"]
        place.append(f"--ray-client-server-port={free_port()}")  # or two clusters want the same
        self._start("head", "--head", "--num-cpus=0", *place)

    def start_worker(self, name: str) -> None:
        """Start or restart a worker node and wait until it is up. Raises TimeoutError."""
        resources = f"--resources={json.dumps(self.workers[name])}"
        self._start(name, f"--address={self.address}", "--num-cpus=4", resources)

    def processes(self, node: str) -> set[int]:
        """Return the processes of a node: "head", or a worker by its name."""
        return set(tree(self._nodes[node].pid))

    def kill(self, node: str) -> int:
        """SIGKILL every process of a node; return their number."""
        process = self._nodes[node]
        if process.poll() is not None:
            return 0  # its number may be another process's by now
        killed = kill_tree(process.pid)
        process.wait(20)
        return killed

    def _start(self, name: str, *arguments: str) -> None:
        """Start a node; nodes of one machine must start one after another, else they take each other's socket."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            # Ports that it is told it need not wait for.
            ports = [f"--{agent}-port={free_port()}" for agent in AGENTS]
            node = subprocess.Popen(
                [str(RAY), "start", "--block", *arguments, *NODE, *ports, MEMORY],
                env={**os.environ, **self.environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a node that ends takes its process group with it
            )
            self._nodes[name] = node
            threading.Thread(target=tell_agent_port, args=[node], daemon=True).start()
            if is_up(node):
                return
            # On a busy machine Ray gives up on itself; whoever supervises it starts it again.
            kill_tree(node.pid)
            node.wait(20)
        raise TimeoutError(f"the Ray node {name} does not start")

    def _on_disk(self) -> dict[str, str]:
        return {"RAY_gcs_storage": "rocksdb", "RAY_gcs_storage_path": f"{self._folder}/gcs"}

    def _end(self) -> None:
        for node in self._nodes:
            self.kill(node)


def is_up(node: "subprocess.Popen[bytes]") -> bool:
    """Wait until a node reports its start (True) or ends (False); keep reading its output."""
    assert node.stdout is not None
    for line in node.stdout:
        if b"Ray runtime started" in line:
            threading.Thread(target=_read_on, args=[node.stdout], daemon=True).start()
            return True
    node.stdout.close()
    return False


def _read_on(file: IO[bytes]) -> None:
    with file:
        file.read()
