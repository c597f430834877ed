"""Samples memory, descriptors and disk of every process of a soak, and judges whether they are flat."""

import os
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import TracebackType

from chaos.processes import command_line, tree

MAX_RATIO = 1.2
TOLERANCE = {"pss_mb": 8.0, "rss_mb": 8.0, "descriptors": 8.0, "disk_mb": 0.5}
"""The growth that counts as none at any ratio: small processes grow by a page here and there."""
DISK = "disk_mb"
LEAST_SAMPLES = 3
STARTING = "starting"
"""The role of workers that the status of the gateway does not name yet: their number differs between two samples."""
NOT_JUDGED = ("simulator-hive", "simulator-twilio", STARTING)
"""These roles are shown, not judged. The simulators keep every message."""
_UNNAMED = re.compile(r"ray::(?:\w+/\S+:)?Host\b")
_ACTOR = re.compile(r"ray::(\w+)")
_MODULE = re.compile(r"-m (?:messaging|chaos)(?:\.\w+)? ?(simulate \w+|\w*)")
_DAEMON = re.compile(r"(raylet|gcs_server|agent\.py|monitor\.py|log_monitor\.py)\b")
_SESSION = re.compile(r"--session[-_]dir=(\S+)")


@dataclass(frozen=True, slots=True)
class Series:
    """The medians of one measure of one role, in the second and in the last quarter of the messages.

    Those of a disk are megabytes for each 1,000 messages: what is kept grows, but not faster and faster.
    """

    role: str
    measure: str
    second: float
    last: float
    highest: float

    @property
    def is_flat(self) -> bool:
        """Whether the last quarter is at most 1.2 times the second, or hardly more."""
        tolerance = TOLERANCE[self.measure]
        return self.last <= max(MAX_RATIO * self.second, self.second + tolerance)


@dataclass(slots=True)
class Use:
    """The resources of all processes of one role."""

    pss_mb: float = 0
    rss_mb: float = 0
    descriptors: int = 0


class Sampler:
    """A context manager that samples every `seconds`, from `roots` down, and the size of `folders`, by name.

    `names` returns the names of processes that are known better than by their command line. `store` is called with
    each sample: role, measure, value.
    """

    def __init__(
        self,
        *,
        seconds: float,
        roots: Callable[[], Iterable[int]],
        names: Callable[[], dict[int, str]],
        folders: dict[str, Path],
        store: Callable[[str, str, float], None],
    ) -> None:
        self._seconds = seconds
        self._roots, self._names, self._folders, self._store = roots, names, folders, store
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def sample(self) -> None:
        """Take one sample of everything."""
        pids = {pid for root in self._roots() for pid in tree(root)}
        uses = use_by_role(pids, self._names())
        for role, use in uses.items():
            for measure in ("pss_mb", "rss_mb", "descriptors"):
                self._store(role, measure, getattr(use, measure))
        folders = dict(self._folders)
        if session := session_folder(pids):
            folders["ray session"] = session
        for name, folder in folders.items():
            self._store(name, DISK, size_mb(folder))

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            self.sample()


def use_by_role(pids: Iterable[int], names: dict[int, str]) -> dict[str, Use]:
    """Return the resources of these processes, added up for each role."""
    uses: dict[str, Use] = defaultdict(Use)
    for pid in pids:
        line = command_line(pid)
        with suppress(OSError, ValueError):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            descriptors = len(os.listdir(f"/proc/{pid}/fd"))
            use = uses[names.get(pid) or role_of(line)]
            use.pss_mb += _kilobytes(rollup, "Pss:") / 1024
            use.rss_mb += _kilobytes(rollup, "Rss:") / 1024
            use.descriptors += descriptors
    return uses


def role_of(line: str) -> str:
    """Return the role of a process by its command line or title."""
    if _UNNAMED.match(line):
        return STARTING
    if match := _ACTOR.match(line):
        return match[1]
    if match := _DAEMON.search(line):
        return match[1].removesuffix(".py")
    if match := _MODULE.search(line):
        return match[1].replace("simulate ", "simulator-") or "harness"
    if "postgres" in line:
        return "postgres"
    return Path(line.split(" ")[0]).name or "ended"


def session_folder(pids: Iterable[int]) -> Path | None:
    """Return the folder of the running Ray session."""
    found = (_SESSION.search(command_line(pid)) for pid in pids)
    return next((Path(match[1]) for match in found if match), None)


def size_mb(folder: Path) -> float:
    """Return the room that the files below a folder take, in MB; files may vanish meanwhile."""
    blocks = 0
    for place, _, files in os.walk(folder):
        for file in files:
            with suppress(OSError):
                blocks += os.lstat(Path(place) / file).st_blocks
    return blocks * 512 / 1024**2


def series_of(
    role: str, measure: str, samples: list[tuple[int, float]], messages: int
) -> Series | None:
    """Return the two quarters of these samples (progress, value); None when either has fewer than three."""
    second = [(at, value) for at, value in samples if messages / 4 <= at < messages / 2]
    last = [(at, value) for at, value in samples if at >= messages * 3 / 4]
    if min(len(second), len(last)) < LEAST_SAMPLES:
        return None
    highest = max(value for _, value in samples)
    middle = _growth if measure == DISK else _median
    return Series(role, measure, middle(second), middle(last), highest)


def _median(samples: list[tuple[int, float]]) -> float:
    return median(value for _, value in samples)


def _growth(samples: list[tuple[int, float]]) -> float:
    """Return the growth for each 1,000 messages, between the medians of both halves."""
    half = len(samples) // 2
    early, late = samples[:half], samples[half:]
    begun = median(at for at, _ in late) - median(at for at, _ in early)
    return 1000 * (_median(late) - _median(early)) / max(begun, 1)


def _kilobytes(rollup: str, name: str) -> int:
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith(name))
