"""The faults of a soak, each short, in rounds: every round has each of them once, in random order."""

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from chaos.context import Context
from chaos.kills import WORKERS, kill_everything, kill_one
from chaos.networks import ALL
from chaos.pauses import stop_processes
from chaos.stores import resize_disk, used_kilobytes

NETWORK_FAULTS: Mapping[str, Mapping[str, Any]] = {
    "net-refuses": {"refuse_rate": 1},
    "net-hangs": {"hang_before_rate": 1},
    "net-5xx": {"error_rate": 1},
    "net-429": {"requests_per_second": 3},
    "net-breaks-after": {"hang_after_rate": 0.3, "hang_seconds": 5, "drop_after_rate": 0.3},
    "net-garbage": {"garbage_rate": 0.3},
    "net-twice": {"duplicate_rate": 0.5, "reorder": True},
}
SPARE_KILOBYTES = 256


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault. `inject` returns when it is over."""

    name: str
    inject: Callable[[Context], None]


def soak_faults(store: str, disk_kilobytes: int | None) -> list[Fault]:
    """Return the faults for a store of this kind; `disk_kilobytes` is the size of its disk, if that can be full."""
    found = [Fault(f"kill-{name}", partial(kill_one, name)) for name in (*WORKERS, "mail-out")]
    found += [Fault(f"pause-{name}", partial(_pause, name)) for name in WORKERS]
    found += [Fault(name, partial(_fail, faults)) for name, faults in NETWORK_FAULTS.items()]
    found += [
        Fault("kill-serve-replica", partial(_kill_titled, "ray::ServeReplica")),
        Fault("kill-serve-proxy", partial(_kill_titled, "ray::ProxyActor")),
        Fault("kill-two", _kill_two),
        Fault("kill-everything", kill_everything),
        Fault("hive-login-ends", lambda field: field.gateway.expire_logins()),
        Fault("store-away", _take_store_away),
    ]
    if store == "postgres":
        found.append(Fault("store-crash", lambda field: field.store.crash()))
    if disk_kilobytes is not None:
        found.append(Fault("disk-full", partial(_fill_disk, disk_kilobytes)))
    return found


class Faults:
    """Injects faults and counts them. One that cannot be injected is noted."""

    def __init__(self, field: Context, faults: list[Fault], is_over: Callable[[], bool]) -> None:
        self._field, self._faults, self._is_over = field, faults, is_over
        self.injected: Counter[str] = Counter()
        self.failed: dict[str, str] = {}
        self.restarts: Counter[int] = Counter()
        """How often the service ended by itself, by exit code."""

    def run(self) -> None:
        """Inject rounds of faults until it is over."""
        field = self._field
        while not self._is_over():
            field.wait_random(0.5, 1)  # all faults may be left out
            for fault in field.random.sample(self._faults, len(self._faults)):
                if self._is_over():
                    return
                self._inject(fault)
                self._restart()
                field.wait_random(1, 4)

    def problems(self) -> list[str]:
        """Return the faults that were tried and never succeeded."""
        return [
            f"{name} could not be injected: {error}"
            for name, error in self.failed.items()
            if not self.injected[name]
        ]

    def _inject(self, fault: Fault) -> None:
        try:
            fault.inject(self._field)
            self.injected[fault.name] += 1
        except Exception as error:
            self.failed[fault.name] = f"{type(error).__name__}: {error}"

    def _restart(self) -> None:
        """Start a service that ended by itself, as an init system would."""
        up = self._field.gateway.up
        if (code := up.process.poll()) is not None:
            self.restarts[code] += 1
            up.stop()
            self._field.gateway.start()


def _pause(worker: str, field: Context) -> None:
    with stop_processes([field.pid_of(f"{worker}/0")]):
        field.wait_random(2, 13)  # the lease is 10 s


def _fail(faults: Mapping[str, Any], field: Context) -> None:
    networks = field.random.sample(ALL, field.random.randint(1, len(ALL)))
    try:
        field.gateway.set_faults(*networks, **faults)
        field.wait_random(2, 8)
    finally:
        field.gateway.set_faults(*ALL)


def _kill_titled(title: str, field: Context) -> None:
    if not field.kill_titled(title):
        raise LookupError(f"no process is called {title}")


def _kill_two(field: Context) -> None:
    field.kill_workers(*(f"{name}/0" for name in field.random.sample(WORKERS, 2)))


def _take_store_away(field: Context) -> None:
    with ExitStack() as exits:
        exits.callback(field.store.give_back)
        field.store.take_away()
        field.wait_random(3, 10)


def _fill_disk(kilobytes: int, field: Context) -> None:
    """Shrink the disk to what is in use, for some seconds."""
    folder = field.store.folder
    with ExitStack() as exits:
        # A PostgreSQL that could not write its log has ended itself; its supervisor starts it.
        exits.callback(field.store.give_back)
        exits.callback(resize_disk, folder, kilobytes)
        _shrink(field)
        field.wait_random(3, 8)


def _shrink(field: Context) -> None:
    folder = field.store.folder
    deadline = time.monotonic() + 10
    while True:
        try:
            return resize_disk(folder, used_kilobytes(folder) + SPARE_KILOBYTES)
        except (OSError, subprocess.SubprocessError):
            # More was written between the look and the change.
            if time.monotonic() > deadline:
                raise
