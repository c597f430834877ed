"""Chooses the service by `SATBRIDGE_RUNTIME`."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

from messaging.gateway import Gateway
from messaging.service.foreground import ForegroundService

EXIT_SECONDS = 5.0

# By name, since the first of them loads Ray.
_SERVICES = {
    "ray": ("messaging.service.local", "Service"),
    "inline": ("messaging.service.inline", "InlineService"),
}


def service_of(gateway: Gateway) -> ForegroundService:
    """Return the service of the runtime that the settings name. Loads Ray only where it is used."""
    module, name = _SERVICES[gateway.settings.runtime]
    make: Callable[[Gateway], ForegroundService] = getattr(import_module(module), name)
    return make(gateway)


@contextmanager
def end_in_time(gateway: Gateway) -> Iterator[None]:
    """Let this process end some seconds after the context, with code 1 if threads of the pipeline still hang.

    On Ray they are in other processes, which are ended.
    """
    try:
        yield
    finally:
        if gateway.settings.runtime == "inline":
            timer = threading.Timer(EXIT_SECONDS, os._exit, [1])
            timer.daemon = True
            timer.start()
