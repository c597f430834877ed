"""Runs on two nodes of its own, started by `ray start`; ends one of them in mid-job. Prints what it saw as JSON."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray

from chaos.agents import tell_agent_port
from chaos.cluster import AGENTS, is_up
from messaging.streaming import StreamingContext
from messaging.streaming.stateful.job import Job
from tests.support.ports import free_port

RECORDS = 40_000
KEYS = 7
HEAD = ["--head", "--node-ip-address=127.0.0.1", "--include-dashboard=false"]
# The environment that this needs. A node that is gone is seen at the first look. One that is only slow
# has as long as Ray gives it: called dead, it would take the driver on it along, and all that the driver asks for.
HASTE = {"RAY_health_check_period_ms": "500", "RAY_AUTH_MODE": "disabled"}


@contextmanager
def node(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """One node, in a process group of its own."""
    command = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--num-cpus=2"]
    command += ["--object-store-memory=100000000", "--disable-usage-stats", *arguments]
    # Else every node on this machine wants the same ports for its agents, and gives up on itself without them.
    command += [f"--{agent}-port={free_port()}" for agent in AGENTS]
    command += ["--min-worker-port=0", "--max-worker-port=0"]
    process = started(command)
    try:
        yield process
    finally:
        end(process)


def started(command: list[str], tries: int = 5) -> "subprocess.Popen[bytes]":
    """On a busy machine a node of Ray may give up on itself; whoever started it starts it again."""
    for _ in range(tries):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        threading.Thread(target=tell_agent_port, args=[process], daemon=True).start()
        if is_up(process):
            return process
        end(process)
    raise TimeoutError("the Ray node does not start")


def end(process: subprocess.Popen[bytes]) -> None:
    """As a power cut does."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def declared(state: str, output: Path) -> StreamingContext:
    """Sources, sums and sinks, four of each, so that some stand on either node."""

    def write(pair: tuple[int, int]) -> None:
        with output.open("a") as file:
            file.write(f"{pair[0]} {pair[1]}\n")

    def slowly(record: int) -> tuple[int, int]:
        if record % 100 == 0:
            time.sleep(0.1)
        return record % KEYS, 1

    context = StreamingContext.Builder().option("state", state).build()
    numbers = context.from_values(*range(RECORDS)).set_parallelism(4)
    sums = numbers.map(slowly).key_by(0).sum(1, name="sum").set_parallelism(4)
    last = sums.filter(lambda pair: pair[1] in (RECORDS // KEYS, RECORDS // KEYS + 1))
    last.round_robin().sink(write, name="written").set_parallelism(2)
    return context


def places(job: Job) -> dict[str, str]:
    """On which node each worker is; the empty text for one that does not answer."""
    return {row["name"]: row.get("node", "") for row in job.status()}


def main(state: str, output: Path) -> None:
    port = free_port()
    address = f"127.0.0.1:{port}"
    # A folder of its own, with a short path: Ray makes sockets there, and keeps the address of its last cluster.
    with (
        tempfile.TemporaryDirectory(prefix="sbn-", ignore_cleanup_errors=True) as folder,
        node(
            *HEAD,
            f"--port={port}",
            f"--ray-client-server-port={free_port()}",
            f"--temp-dir={folder}",
        ),
        joined(address),
        node(f"--address={address}", "--node-ip-address=127.0.0.2") as second,
    ):
        until(lambda: sum(n["Alive"] for n in nodes()) == 2)
        job = declared(state, output).submit("moving")
        until(lambda: sum(row.get("in", 0) for row in job.status()) > RECORDS // 8)
        before, here = places(job), ray.get_runtime_context().get_node_id()[:8]
        end(second)
        until(lambda: set(places(job).values()) == {here})
        after = {row["name"]: row["restarts"] for row in job.status()}
        ended = job.wait(240)
        taken = sum(row["in"] for row in job.status() if row["stage"] == "sum")
        aside = [one.error for one in job.dead_letters()]
    away = [name for name, place in before.items() if place != here]
    said = {"away": away, "restarts": after, "ended": ended, "taken": taken, "aside": aside}
    sys.stdout.write("\n" + json.dumps(said) + "\n")


@contextmanager
def joined(address: str) -> Iterator[None]:
    """This process, as a driver on the first node."""
    begin: Any = ray.init
    for attempt in range(40):
        try:
            begin(address, namespace="satbridge", _node_ip_address="127.0.0.1", log_to_driver=False)
            break
        except ConnectionError:
            if attempt == 39:
                raise
            time.sleep(0.5)
    try:
        yield
    finally:
        ray.shutdown()


def nodes() -> list[dict[str, Any]]:
    found: Any = ray.nodes
    answer: list[dict[str, Any]] = found()
    return answer


def until(true: Any, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
