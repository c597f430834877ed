"""What a scenario has in its hands: the gateway under load, its store, seeded chance, and ways to strike."""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from chaos.gateway import StrickenGateway
from chaos.processes import command_line, kill, titled
from chaos.record import Record
from chaos.stores import Store

HUNT_SECONDS = 90.0


@dataclass
class Field:
    """One scenario's means."""

    gateway: StrickenGateway
    store: Store
    record: Record
    chance: Random
    notes: list[str] = field(default_factory=list)
    killed: int = 0

    def wait(self, seconds: float) -> None:
        """Let time pass while the load runs."""
        time.sleep(seconds)

    def a_while(self, least: float, most: float) -> None:
        """Wait for a time that nobody can foresee, but for who knows the seed."""
        self.wait(self.chance.uniform(least, most))

    def kill_workers(self, *names: str) -> None:
        """SIGKILL the processes of these actors of the pipeline, as they run now, at once."""
        self._kill({name: self._pid_of(name) for name in names})

    def kill_titled(self, title: str) -> bool:
        """Wait for a process of the service with this title and SIGKILL it; whether there was one."""
        deadline = time.monotonic() + HUNT_SECONDS
        while time.monotonic() < deadline:
            if pids := titled(self.gateway.up.process.pid, title):
                self._kill({title: self.chance.choice(pids)})
                return True
            time.sleep(0.005)
        return False

    def say(self, note: str) -> None:
        """Add a note to the scenario's line."""
        self.notes.append(note)

    def _pid_of(self, name: str) -> int:
        """The process of an actor; one that was killed a moment ago is waited for."""
        deadline = time.monotonic() + HUNT_SECONDS
        while time.monotonic() < deadline:
            pid = self.gateway.workers().get(name)
            if pid and command_line(pid):
                return pid
            time.sleep(0.1)
        raise LookupError(f"no actor {name} runs")

    def _kill(self, pids: dict[str, int]) -> None:
        for pid in pids.values():
            with suppress(PermissionError):
                self.killed += kill(pid)
