"""The order in which a service ends, wherever it runs."""

import time
from collections.abc import Callable

from messaging.config.settings import Settings
from messaging.streaming.ray.job import RayJob
from messaging.web.deployment import stop_edge


def shut_down(job: RayJob, settings: Settings, announced: Callable[[], object]) -> bool:
    """Drain and end a job and its web server; returns whether everything in work was settled in `drain_seconds`.

    Readiness goes off first (`announced` is called then), and for `unready_seconds` all is still taken. Then sources
    stop; then the web server; then what is in work settles. What does not settle is owed again when its lease ends.
    """
    deadline = time.monotonic() + settings.unready_seconds + settings.drain_seconds
    job.announce_drain()
    announced()
    time.sleep(settings.unready_seconds)
    settled = job.drain(deadline - time.monotonic())
    stop_edge()
    settled = settled and job.drain(max(deadline - time.monotonic(), 1.0))
    job.stop()
    return settled
