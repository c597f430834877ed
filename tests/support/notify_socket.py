"""A socket as systemd has for units with `Type=notify`, and the messages that it got."""

import socket
from pathlib import Path
from types import TracebackType
from typing import Self


class NotifySocket:
    """A context manager. `address` is the value of NOTIFY_SOCKET: a path, or a name with a leading @."""

    def __init__(self, address: Path | str) -> None:
        self.address = str(address)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def __enter__(self) -> Self:
        name = self.address
        self._socket.bind("\0" + name[1:] if name.startswith("@") else name)
        self._socket.setblocking(False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def messages(self) -> list[dict[str, str]]:
        """Return the messages since the last call, each as its variables."""
        found: list[dict[str, str]] = []
        while True:
            try:
                text = self._socket.recv(4096).decode()
            except BlockingIOError:
                return found
            found.append(dict(line.split("=", 1) for line in text.splitlines()))
