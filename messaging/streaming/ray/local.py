"""Starts, joins and leaves a Ray cluster."""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import ray

from messaging.streaming.api.errors import StreamingError

OBJECT_STORE_BYTES = 200 * 1024 * 1024
# Serve replaces its proxy after three failed checks; with its own period of 10 s webhooks would fail for 25 s.
PROXY_CHECK_SECONDS = "0.5"
# A head may be starting again; Ray itself tries for minutes even an address without any head.
JOIN_SECONDS = 15.0
PAUSE_SECONDS = 0.3
SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def local_cluster(
    address: str | None = None, namespace: str = "satbridge", job_config: Any = None
) -> Iterator[Any]:
    """Join the cluster at `address`, or start one on this machine that ends with the context.

    Ray's own usage report is off. A cluster that Ray 2.60 starts here has token authentication by default; to join
    one, RAY_AUTH_MODE has to stand in the environment before this process starts, since Ray reads it at import.
    """
    try:
        yield start_ray(address, namespace, job_config)
    finally:
        ray.shutdown()


def start_ray(
    address: str | None = None, namespace: str = "satbridge", job_config: Any = None
) -> Any:
    """Join the cluster at `address`, or start one on this machine, until `ray.shutdown` or the end of the process.

    Raises StreamingError when no cluster answers at the address within `JOIN_SECONDS`.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address:
        _wait_for_head(os.environ.get("RAY_ADDRESS", address) if address == "auto" else address)
    own = {} if address else _own_cluster()
    try:
        with _postpone_signals():
            return ray.init(
                # Without "local", Ray would join the cluster that was last started on this machine.
                address=address or "local",
                namespace=namespace,
                log_to_driver=True,
                logging_level=logging.ERROR,
                job_config=job_config,
                **own,
            )
    except (ConnectionError, RuntimeError):
        if address is None:
            raise
        # The head has gone in the meantime.
        raise StreamingError(f"no cluster answers at {address}") from None


@contextmanager
def _postpone_signals() -> Iterator[None]:
    """Let SIGTERM and SIGINT wait until the context ends, and then find the handlers that the program has for them.

    Ray, while it starts, puts first a handler in the place of ours that raises SystemExit wherever the program is, and
    then one that prints a trace and aborts; and an exception halfway leaves processes behind. Only the main
    thread is spared: an older thread that does not block these signals itself still gets them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = {number: signal.getsignal(number) for number in SIGNALS}
    # Ray's processes would inherit it, and ignore the signals that end them.
    os.register_at_fork(after_in_child=partial(_mask, signal.SIG_UNBLOCK))
    try:
        _mask(signal.SIG_BLOCK)
        yield
    except SystemExit:  # another thread got the signal
        if not callable(ours[signal.SIGTERM]):
            raise
        signal.raise_signal(signal.SIGTERM)  # again, for the program's own handler
        raise StreamingError("Ray was stopped while it started") from None
    finally:
        for number, handler in ours.items():
            if callable(handler):  # without one, Ray's is better than none
                signal.signal(number, handler)
        _mask(signal.SIG_UNBLOCK)


def _mask(how: int) -> None:
    signal.pthread_sigmask(how, SIGNALS)


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
    os.environ.setdefault("RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S", PROXY_CHECK_SECONDS)
    # Ray gives its workers the lowest priority, but here mail waits for them.
    os.environ.setdefault("RAY_worker_niceness", "0")
    # Our actors ask for no processor of their own: they wait most of the time. This number
    # bounds how many remote functions run at once.
    return {
        "include_dashboard": False,
        "num_cpus": max(4, os.cpu_count() or 1),
        "object_store_memory": OBJECT_STORE_BYTES,
    }
