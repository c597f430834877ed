"""Scenarios with a Ray cluster of two nodes on this machine, one of which is lost."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from chaos.field import Field
from chaos.processes import kill_tree, tree
from chaos.scenario import Ground, Scenario
from tests.acceptance.running_gateway import free_port

# Said outright for every process: what Ray assumes differs between `ray start` and a driver that joins.
CLUSTER_ENVIRONMENT = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
START_SECONDS = 60.0
BACK_SECONDS = 60.0
PID_FILE = "second-node"


def node_scenarios() -> list[Scenario]:
    """All of them."""
    return [
        Scenario(
            name="node-lost",
            what="the second of two Ray nodes is killed, with the routers, senders and others on it",
            strike=_lose_node,
            ground=Ground.TWO_NODES,
            stores=("postgres",),
        )
    ]


@contextmanager
def two_nodes(folder: Path) -> Iterator[str]:
    """Two Ray nodes on this machine; yields the address to join. The second one's process stands in `folder`."""
    address = f"127.0.0.1:{free_port()}"
    with ExitStack() as exits:
        # Ray makes sockets below it, whose paths must be short; and no other Ray may take this for its cluster.
        temporary = exits.enter_context(
            TemporaryDirectory(prefix="sbc-", ignore_cleanup_errors=True)
        )
        port = address.rpartition(":")[2]
        _node(exits, "--head", f"--port={port}", "--include-dashboard=false", temporary=temporary)
        _wait_for_head(address)
        second = _node(exits, f"--address={address}")
        (folder / PID_FILE).write_text(str(second.pid))
        yield address


def _node(exits: ExitStack, *arguments: str, temporary: str = "") -> "subprocess.Popen[bytes]":
    where = [f"--temp-dir={temporary}"] if temporary else []
    ports = ["--min-worker-port=0", "--max-worker-port=0", "--node-ip-address=127.0.0.1"]
    sizes = ["--num-cpus=4", f"--object-store-memory={150 * 1024 * 1024}"]
    ray = Path(sys.executable).with_name("ray")
    process = subprocess.Popen(
        [str(ray), "start", "--block", *arguments, *where, *ports, *sizes],
        env={**os.environ, **CLUSTER_ENVIRONMENT},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    exits.callback(_end, process)
    return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    kill_tree(process.pid)
    process.wait(20)


def _wait_for_head(address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    ray = Path(sys.executable).with_name("ray")
    while subprocess.run(
        [str(ray), "health-check", f"--address={address}"],
        env={**os.environ, **CLUSTER_ENVIRONMENT},
        capture_output=True,
    ).returncode:
        if time.monotonic() > deadline:
            raise TimeoutError("the Ray head does not start")
        time.sleep(0.5)


def _lose_node(field: Field) -> None:
    field.a_while(3, 5)
    second = int((field.gateway.folder / PID_FILE).read_text())
    there = set(tree(second))
    on_it = sorted(name for name, pid in field.gateway.workers().items() if pid in there)
    field.say(f"on the lost node: {', '.join(on_it) or 'nothing'}")
    field.killed += kill_tree(second)
    began = time.monotonic()
    field.wait(3)  # until nobody tells any more what was before
    while not all(field.gateway.workers().values()) or not field.gateway.is_ready():
        if time.monotonic() > began + BACK_SECONDS:
            raise AssertionError("not all actors came back")
        field.wait(0.5)
    field.say(f"every actor back after {time.monotonic() - began:.0f} s")
    field.wait(2)
