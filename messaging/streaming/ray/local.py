"""Starts, joins and leaves a Ray cluster."""

import gc
import logging
import os
import random
import signal
import socket
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import ray
import ray._private.node as ray_node
from tenacity import (
    Retrying,
    retry_if_exception_type,
    retry_if_not_exception_type,
    stop_after_attempt,
)

from messaging.streaming.api.errors import StreamingError
from messaging.streaming.ray.worker_output import WorkerOutput, redirect_worker_output

log = logging.getLogger(__name__)

OBJECT_STORE_BYTES = 200 * 1024 * 1024
# A try takes Ray up to a minute before it gives up, and longer on a machine that is busy.
START_TRIES = 3
# Ray itself waits for 30 s for its tables to listen.
TABLES_SECONDS = "120"
# Below the ports that the kernel gives out by itself.
AGENT_PORTS = range(20_000, 26_000)
LOOPBACK = "127.0.0.1"
# Of each file that a process of Ray's writes its lines to, with two older ones beside it.
LOG_FILE_BYTES = "10000000"
LOG_FILES_KEPT = "2"
RAY_LOGS = "/tmp/ray/session_latest/logs"  # noqa: S108 (Ray's own place, named to the operator)
# Serve replaces its proxy after three failed checks; with its own period of 10 s webhooks would fail for 25 s.
PROXY_CHECK_SECONDS = "0.5"
# Until a new proxy has answered once. Serve kills it after three such waits, by default 5 s each: on a busy machine it
# is still being imported then, and so is the next one. A proxy that died is found at once in any case.
PROXY_READY_SECONDS = "60"
# A head may be starting again; Ray itself tries for minutes even an address without any head.
JOIN_SECONDS = 15.0
PAUSE_SECONDS = 0.3


@contextmanager
def local_cluster(
    address: str | None = None,
    namespace: str = "satbridge",
    job_config: Any = None,
    output: WorkerOutput | None = None,
) -> Iterator[Any]:
    """Join the cluster at `address`, or start one on this machine that ends with the context.

    `output` gets the lines that the processes of the job write; without it Ray prints them.

    Ray's own usage report is off. A cluster that Ray 2.60 starts here has token authentication by default; to join
    one, RAY_AUTH_MODE has to stand in the environment before this process starts, since Ray reads it at import.
    """
    try:
        cluster = start_ray(address, namespace, job_config)
        if output is not None:
            redirect_worker_output(output)
        yield cluster
    finally:
        ray.shutdown()


def start_ray(
    address: str | None = None, namespace: str = "satbridge", job_config: Any = None
) -> Any:
    """Join the cluster at `address`, or start one on this machine, until `ray.shutdown` or the end of the process.

    Raises StreamingError when no cluster answers at the address within `JOIN_SECONDS`, or when none could be started
    in `START_TRIES` tries; nothing of it runs then.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    init = partial(
        ray.init,
        namespace=namespace,
        log_to_driver=True,
        logging_level=logging.ERROR,
        # A program that has set up its logging keeps it.
        configure_logging=not logging.getLogger().handlers,
        job_config=job_config,
    )
    if not address:
        return _start_own(init)
    _wait_for_head(os.environ.get("RAY_ADDRESS", address) if address == "auto" else address)
    try:
        with _postpone_signals():
            return init(address=address)
    except (ConnectionError, RuntimeError):
        # The head has gone in the meantime.
        raise StreamingError(f"no cluster answers at {address}") from None


def _start_own(init: Any) -> Any:
    # Without "local", Ray would join the cluster that was last started on this machine.
    start = partial(init, address="local", **_own_cluster())
    tries = Retrying(
        stop=stop_after_attempt(START_TRIES),
        retry=retry_if_not_exception_type(StreamingError) & retry_if_exception_type(Exception),
        reraise=True,
    )
    try:
        return tries(_try_to_start, start)
    except StreamingError:
        raise
    except Exception as error:
        raise StreamingError(
            f"Ray did not start in {START_TRIES} tries ({_first_line(error)}). The machine may be too busy: try again"
            f" when it has more processor time. Ray's logs are in {RAY_LOGS}"
        ) from None


def _try_to_start(start: Any) -> Any:
    try:
        with _postpone_signals(), _own_node():
            return start()
    except StreamingError:
        raise
    except Exception as error:
        log.warning("Ray did not start: %s", _first_line(error))
        ray.shutdown()
        # Its frames hold clients of the tables that were just ended; such a client ends this process after a minute.
        traceback.clear_frames(error.__traceback__)
        gc.collect()
        raise


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__


class _OwnNode(ray_node.Node):
    """Ray's node of this machine, reachable from this machine only.

    Its raylet does not wait for its agents, and a start that fails leaves nothing.

    Ray has no public option for that. Its raylet waits for the agents, which are Python programs, to write the ports
    that they listen on into files, and aborts after 15 s; on a busy machine they are still being imported then. So
    their ports are fixed here. The server of the dashboard and the autoscaler, two more such programs, do not run.
    """

    def __init__(self, ray_params: Any, *arguments: Any, **options: Any) -> None:
        # Its servers listen on the address of the node only if that is loopback. `ray.init` has no way to say so: it
        # replaces the address by that of an interface.
        ray_params.node_ip_address = LOOPBACK
        grpc, listen, environment, metrics = free_ports(4)
        ray_params.update_if_absent(
            metrics_agent_port=grpc,
            dashboard_agent_listen_port=listen,
            runtime_env_agent_port=environment,
            metrics_export_port=metrics,
        )
        ray_params.no_monitor = True
        try:
            super().__init__(ray_params, *arguments, **options)
        except BaseException:
            self.kill_all_processes(check_alive=False, wait=True)
            raise

    def start_api_server(self, **options: Any) -> None:
        """Start none. Its start is waited for, and it only serves a dashboard that is off."""

    def start_ray_processes(self) -> None:
        """Write the one port that the raylet cannot be told otherwise, as its agent does later."""
        raylet: Any = ray._raylet  # which Ray has not typed
        name, port = raylet.DASHBOARD_AGENT_LISTEN_PORT_NAME, self.dashboard_agent_listen_port
        raylet.persist_port(self._session_dir, self._node_id, name, port)
        start: Any = super().start_ray_processes
        start()


@contextmanager
def _own_node() -> Iterator[None]:
    """Let `ray.init` start an `_OwnNode` within the context."""
    module: Any = ray_node
    usual, module.Node = ray_node.Node, _OwnNode
    try:
        yield
    finally:
        module.Node = usual


def free_ports(count: int) -> list[int]:
    """Return ports that no program has now."""
    found: list[int] = []
    for port in random.sample(AGENT_PORTS, len(AGENT_PORTS)):
        with suppress(OSError), socket.create_server(("", port)):
            found.append(port)
        if len(found) == count:
            break
    return found


@contextmanager
def _postpone_signals() -> Iterator[None]:
    """Let signals wait until the context ends, and then find the handlers that the program has for them.

    That are SIGTERM, SIGINT and all others that the program has a handler for.

    Ray, while it starts, puts first a handler in the place of ours that raises SystemExit wherever the program is, and
    then one that prints a trace and aborts; and an exception halfway leaves processes behind. Only the main
    thread is spared: an older thread that does not block these signals itself still gets them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = {number: signal.getsignal(number) for number in signal.valid_signals()}
    ours = {number: handler for number, handler in ours.items() if callable(handler)}
    masked = {signal.SIGTERM, signal.SIGINT, *ours}
    # Ray's processes would inherit it, and ignore the signals that end them. SIGINT stays blocked in them, as Ray has
    # it: a terminal sends it to them too, and one that it ended before its program ran would be waited for.
    os.register_at_fork(after_in_child=partial(_unblock_in_child, masked - {signal.SIGINT}))
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, masked)
        yield
    except SystemExit:  # another thread got the signal
        if signal.SIGTERM not in ours:
            raise
        signal.raise_signal(signal.SIGTERM)  # again, for the program's own handler
        raise StreamingError("Ray was stopped while it started") from None
    finally:
        for number, handler in ours.items():  # without one, Ray's is better than none
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, masked)


def _unblock_in_child(signals: Iterable[signal.Signals]) -> None:
    """Let signals end this new process, also one that came already."""
    for number in signals:
        signal.signal(
            number, signal.SIG_DFL
        )  # the handler of its parent would raise before the program is loaded
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)


def own_node_lives() -> bool:
    """Whether this process's own node still belongs to the cluster, which may go on without it."""
    own = ray.get_runtime_context().get_node_id()
    ask: Any = ray.nodes  # which Ray has not typed
    return any(node["NodeID"] == own and node["Alive"] for node in ask())


def _wait_for_head(address: str) -> None:
    """Wait until a server takes connections there. An address that is not host:port is left to Ray."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        return
    deadline = time.monotonic() + JOIN_SECONDS
    while True:
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=JOIN_SECONDS).close()
        except OSError:
            if time.monotonic() > deadline:
                raise StreamingError(f"no cluster answers at {address}") from None
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _own_cluster() -> dict[str, Any]:
    # Who reads Ray's token is this user for the cluster. An older start may have left it readable by others.
    with suppress(OSError):
        (Path.home() / ".ray" / "auth_token").chmod(0o600)
    os.environ.setdefault("RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S", PROXY_CHECK_SECONDS)
    os.environ.setdefault("RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S", PROXY_READY_SECONDS)
    os.environ.setdefault("RAY_gcs_server_port_wait_time_s", TABLES_SECONDS)
    os.environ.setdefault("RAY_ROTATION_MAX_BYTES", LOG_FILE_BYTES)
    os.environ.setdefault("RAY_ROTATION_BACKUP_COUNT", LOG_FILES_KEPT)
    # Ray's tables keep a record of each call, 100,000 of them, only to show them in its dashboard. 0 turns them off.
    os.environ.setdefault("RAY_task_events_report_interval_ms", "0")
    # Ray gives its workers the lowest priority, but here mail waits for them.
    os.environ.setdefault("RAY_worker_niceness", "0")
    # Our actors ask for no processor of their own: they wait most of the time. This number
    # bounds how many remote functions run at once.
    return {
        "include_dashboard": False,
        "num_cpus": max(4, os.cpu_count() or 1),
        "object_store_memory": OBJECT_STORE_BYTES,
    }
