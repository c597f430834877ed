"""The classes of the Serve replicas. Imports nothing that needs Django, so that Serve can unpickle it anywhere."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from messaging.streaming.ray.local import LOOPBACK
from messaging.streaming.ray.packing import unpack


def set_up_on_loopback(set_up: Callable[[], None]) -> None:
    """Set up the process of a replica, whose own server for calls is then reached from this machine only.

    Serve has no setting for the address of that server.
    """
    module: Any = import_module("ray.serve._private.replica")  # only where Serve runs
    add_port = module.add_port_to_grpc_server
    module.add_port_to_grpc_server = lambda server, _: add_port(server, f"{LOOPBACK}:0")
    set_up()


class HttpReplica:
    """Sets its process up, and only then imports and builds the application, which travels as bytes."""

    def __init__(self, set_up: Callable[[], None], packed: bytes) -> None:
        self._set_up = set_up
        self._packed = packed

    def __serve_build_asgi_app__(self) -> Any:
        self._set_up()
        return unpack(self._packed)()


class DirectReplica:
    """Sets its process up, and serves webhooks and the admin on sockets of its own, without Serve."""

    def __init__(self, set_up: Callable[[], None], packed: bytes) -> None:
        set_up()
        self._servers = unpack(packed)()

    def stands(self) -> bool:
        """Whether the server of the webhooks runs."""
        return bool(self._servers.stands())

    def stop(self) -> None:
        """Let requests in work end, and stop."""
        self._servers.stop()


class AdminReplica:
    """Sets its process up, and serves the admin on a socket of its own; Serve only keeps the process running."""

    def __init__(self, set_up: Callable[[], None], packed: bytes) -> None:
        set_up()
        self._server = unpack(packed)()

    def check_health(self) -> None:
        """Raise RuntimeError when the server has ended: Serve then replaces this process."""
        if not self._server.runs:
            raise RuntimeError("the server of the admin has ended")

    def __del__(self) -> None:
        if server := getattr(self, "_server", None):
            server.close()
