"""Tells systemd how the service is (sd_notify): ready, alive, stopping. Without systemd it does nothing."""

import logging
import os
import socket

log = logging.getLogger(__name__)

VARIABLE = "NOTIFY_SOCKET"


class Notifier:
    """Sends to the socket that systemd names in the environment of a unit with `Type=notify`.

    Nothing that goes wrong with the socket ends the service; the log says it once.
    """

    def __init__(self) -> None:
        # Removed, so that no process of the gateway's inherits it.
        self._address = os.environ.pop(VARIABLE, "")
        self._is_failing = False

    def ready(self, status: str) -> None:
        """Report that the service runs."""
        self._send("READY=1", f"STATUS={status}")

    def alive(self, status: str) -> None:
        """Report that the supervisor has done a round. Systemd restarts a unit with `WatchdogSec` that omits it."""
        self._send("WATCHDOG=1", f"STATUS={status}")

    def stopping(self) -> None:
        """Report that the service drains and ends."""
        self._send("STOPPING=1", "WATCHDOG=1", "STATUS=draining")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        # A leading @ stands for a name in the abstract namespace.
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                # Systemd that reads nothing may not hold the service up.
                sender.setblocking(False)
                sender.connect(address)
                sender.send("\n".join(lines).encode())
        except OSError as error:
            if not self._is_failing:
                log.warning("systemd cannot be told that the service runs: %s", error.strerror)
            self._is_failing = True
        else:
            self._is_failing = False
