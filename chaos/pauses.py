"""Scenarios without a death: nothing breaks, processes stand still, or a process has no file descriptors left."""

import os
import resource
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from chaos.context import Context
from chaos.kills import WORKERS
from chaos.processes import tree
from chaos.scenario import Scenario

CALM_SECONDS = 10.0
PAUSE_SECONDS = 13.0
"""Longer than the lease of 10 s."""
SPARE_DESCRIPTORS = 3


def pause_scenarios() -> list[Scenario]:
    """Return the scenarios of this module."""
    return [
        Scenario(
            name="calm",
            description="nothing breaks; long texts in parts among short ones; none may come late, twice or marked",
            inject=partial(Context.wait, seconds=CALM_SECONDS),
            gentle=True,
        ),
        *(
            Scenario(
                name=f"pause-{worker}",
                description=f"SIGSTOP of {worker} for {PAUSE_SECONDS:.0f} s, longer than a lease",
                inject=partial(_pause_one, worker),
            )
            for worker in WORKERS
        ),
        Scenario(
            name="pause-everything",
            description=f"SIGSTOP of all processes, Ray included, for {PAUSE_SECONDS:.0f} s, as a suspended machine",
            inject=_pause_everything,
        ),
        Scenario(
            name="no-descriptors",
            description=f"mail-in and the router may open {SPARE_DESCRIPTORS} more files for {PAUSE_SECONDS:.0f} s",
            inject=_starve,
        ),
    ]


def _pause_one(worker: str, field: Context) -> None:
    field.wait_random(1, 2)
    with stop_processes([field.pid_of(f"{worker}/0")]):
        field.wait(PAUSE_SECONDS)
    field.wait(4)


def _pause_everything(field: Context) -> None:
    field.wait_random(1, 2)
    with stop_processes(tree(field.gateway.up.process.pid)):
        field.wait(PAUSE_SECONDS)
    began = time.monotonic()
    while not field.gateway.is_ready():
        field.wait(0.3)
        if time.monotonic() - began > 120:
            raise AssertionError("it does not go on")
    field.note(f"ready again {time.monotonic() - began:.1f} s after the pause")
    field.wait(4)


@contextmanager
def stop_processes(pids: Iterable[int]) -> Iterator[None]:
    """Stop processes, parents first, until the context ends."""
    paused = list(pids)
    try:
        for pid in paused:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in paused:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _starve(field: Context) -> None:
    field.wait_random(1, 2)
    before: dict[int, tuple[int, int]] = {}
    try:
        for name in ("mail-in/0", "router/0"):
            pid = field.pid_of(name)
            limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            highest = max(int(number) for number in os.listdir(f"/proc/{pid}/fd"))
            few = min(highest + 1 + SPARE_DESCRIPTORS, limits[0])
            before[pid] = limits
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (few, limits[1]))
        field.wait(PAUSE_SECONDS)
    finally:
        for pid, limits in before.items():
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    field.wait(4)
