"""The context of a scenario: the gateway under load, its store, a seeded random generator, and ways to kill."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from chaos.gateway import TargetGateway
from chaos.judge import Rollback
from chaos.processes import command_line, find_by_title, kill
from chaos.record import Record
from chaos.stores import Store

HUNT_SECONDS = 90.0


@dataclass
class Context:
    """The means of one scenario. `after_load` is called when the load has ended, before everything has to settle."""

    gateway: TargetGateway
    store: Store
    record: Record
    random: Random
    notes: list[str] = field(default_factory=list)
    killed: int = 0
    rollback: Rollback | None = None
    after_load: Callable[[], None] | None = None

    def wait(self, seconds: float) -> None:
        """Let time pass while the load runs."""
        time.sleep(seconds)

    def wait_random(self, least: float, most: float) -> None:
        """Wait for a random time between the two, in seconds."""
        self.wait(self.random.uniform(least, most))

    def kill_workers(self, *names: str) -> None:
        """SIGKILL the current processes of these actors of the pipeline, all at once."""
        self._kill({name: self.pid_of(name) for name in names})

    def kill_titled(self, title: str) -> bool:
        """Wait for a process of the service with this title and SIGKILL it; return whether there was one."""
        deadline = time.monotonic() + HUNT_SECONDS
        while time.monotonic() < deadline:
            if pids := find_by_title(self.gateway.up.process.pid, title):
                self._kill({title: self.random.choice(pids)})
                return True
            time.sleep(0.005)
        return False

    def pid_of(self, name: str) -> int:
        """Return the process of an actor; wait while it restarts."""
        deadline = time.monotonic() + HUNT_SECONDS
        while time.monotonic() < deadline:
            pid = self.gateway.workers().get(name)
            if pid and command_line(pid):
                return pid
            time.sleep(0.1)
        raise LookupError(f"no actor {name} runs")

    def note(self, note: str) -> None:
        """Add a note to the line of the scenario."""
        self.notes.append(note)

    def _kill(self, pids: dict[str, int]) -> None:
        for pid in pids.values():
            with suppress(PermissionError):
                self.killed += kill(pid)
