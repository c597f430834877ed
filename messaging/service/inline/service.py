"""The service in one process without Ray, and the instances of its pipeline."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from messaging.gateway import Gateway
from messaging.pipeline import declare
from messaging.service.foreground import ForegroundService
from messaging.service.inline.edge import InlineEdge
from messaging.service.lifecycle import WebServer
from messaging.service.log_setup import set_log_level
from messaging.service.signals import defer_signals
from messaging.service.state_file import RunningService
from messaging.store.live_settings import change_live_settings
from messaging.streaming.api import StreamingError
from messaging.streaming.runtime.process_job import ProcessJob


class InlineService(ForegroundService):
    """See ForegroundService."""

    lost = "the pipeline hangs: no stage answers any more; start the gateway again"

    def __init__(self, gateway: Gateway) -> None:
        instances = InlineInstances(gateway)
        self._edge = InlineEdge(gateway, lambda: instances.job)
        super().__init__(
            gateway, instances, WebServer(self._edge.start, self._edge.stands, self._edge.stop)
        )

    def enter_runtime(self, exits: ExitStack) -> None:
        """See ForegroundService. Everything starts in this process."""

    def look(self) -> RunningService:
        """See ForegroundService."""
        # The main thread waits for signals. One that another thread took would not wake it.
        with defer_signals():
            return super().look()

    def stop(self) -> None:
        """See ForegroundService."""
        super().stop()
        self._edge.stop()


class InlineInstances:
    """The instances of the pipeline in this process. A source that fails is built anew."""

    def __init__(self, gateway: Gateway) -> None:
        self.running: ProcessJob | None = None
        self._graph = declare(gateway)
        self._patience_seconds = gateway.settings.accept_seconds

    @property
    def has_job(self) -> bool:
        """Whether `look` has started them."""
        return self.running is not None

    @property
    def job(self) -> ProcessJob:
        """Return the job. Raises StreamingError before the first `look`."""
        if self.running is None:
            raise StreamingError("the pipeline has not been started")
        return self.running

    def look(self) -> list[dict[str, Any]]:
        """Start all instances the first time, and return the status of each."""
        if self.running is None:
            job = ProcessJob(self._graph, self._patience_seconds)
            job.start()
            self.running = job
        return self.running.status()

    def set_log_level(self, level: str) -> None:
        """Let this process log from this level on."""
        set_log_level(level)

    def set_limits(self, limits: Mapping[str, Any]) -> None:
        """Let the routers decide by these values of `LIVE_FIELDS` from their next batch on."""
        change_live_settings(limits)
