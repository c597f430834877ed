"""Tests ports before a process of the pipeline listens on them."""

import socket
from typing import Any

from messaging.config.settings import Listen
from messaging.errors import ConfigurationError


def check_port(variable: str, text: str) -> None:
    """Raise ConfigurationError when nothing can listen there. Port 0 is any free port."""
    listen = Listen.parse(text)
    family: Any = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((listen.host, listen.port))
    except OSError as error:
        raise ConfigurationError(
            f"{variable}: cannot listen on {listen}: {error.strerror}"
        ) from None
