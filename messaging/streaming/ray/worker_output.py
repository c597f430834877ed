"""Takes the lines that the processes of a cluster write, instead of Ray's own printing with colours and prefixes."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from ray._private import ray_constants, ray_logging
from ray.experimental.tqdm_ray import RAY_TQDM_MAGIC

# The name that `ray.shutdown` removes.
HANDLER = "ray_print_logs"
AUTOSCALER = "autoscaler"


class WorkerOutput(Protocol):
    """Writes a line of a process of the cluster."""

    def __call__(self, worker: str, line: str, *, is_error: bool) -> None:
        """Write the line of this actor, task or process."""


def redirect_worker_output(write: WorkerOutput) -> None:
    """Let `write` have all lines of the workers from now on, until `ray.shutdown`."""
    dispatcher: Any = ray_logging.global_worker_stdstream_dispatcher
    dispatcher.remove_handler(HANDLER)
    dispatcher.add_handler(HANDLER, partial(_write_all, write))


def _write_all(write: WorkerOutput, data: Mapping[str, Any]) -> None:
    if data.get("pid") == AUTOSCALER:
        return
    worker = str(data.get("actor_name") or data.get("task_name") or data.get("pid") or "worker")
    for line in data.get("lines", ()):
        if RAY_TQDM_MAGIC not in line:
            text = line.removeprefix(ray_constants.LOG_PREFIX_INFO_MESSAGE)
            write(worker, text, is_error=bool(data.get("is_err")))
