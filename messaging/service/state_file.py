"""The file in the state folder that reports the running service: one service for each folder."""

import json
import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from messaging.errors import ConfigurationError

log = logging.getLogger(__name__)

RUN_FILE = "running.json"
LOCK_FILE = "running.lock"


@dataclass(frozen=True, slots=True)
class RunningService:
    """The report of a running service. `problem` says why it is not fully running. Times are seconds since 1970.

    `reloads` counts the times that the settings were read again; `reload` is the result of the last one."""

    pid: int
    state: str
    mail: list[str]
    http: str
    since: float
    at: float
    workers: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""
    reloads: int = 0
    reload: str = ""
    admin: str = ""


class AlreadyRunning(ConfigurationError):
    """Another service has this state folder."""


@contextmanager
def sole_service(folder: Path) -> Iterator[None]:
    """Hold the state folder for this process. Raises AlreadyRunning, or ConfigurationError if it cannot."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK_FILE)
        lock.acquire(timeout=0)
    except Timeout:
        other = read_running(folder)
        who = f" (process {other.pid})" if other else ""
        raise AlreadyRunning(
            f"a service runs already with SATBRIDGE_STATE_DIR={folder}{who}"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"SATBRIDGE_STATE_DIR: {folder}: {error.strerror}") from None
    try:
        yield
    finally:
        remove(folder)
        lock.release()


class StateFile:
    """Writes the reports of the running service. A folder that cannot be written, as on a full disk, ends nothing.

    The log says once that it cannot be written, and once that it can again.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / RUN_FILE
        self._is_failing = False

    def write(self, running: RunningService) -> None:
        """Replace the report. A reader gets the old one or the new one, never a part."""
        draft = self._path.with_name(f"{RUN_FILE}.new")
        try:
            draft.write_text(json.dumps(asdict(running)))
            draft.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            if not self._is_failing:
                log.error(
                    "%s cannot be written (%s); `satbridge status` shows an older report until it can",
                    self._path,
                    error.strerror,
                )
            self._is_failing = True
            return
        if self._is_failing:
            log.warning("%s is written again", self._path)
        self._is_failing = False


def remove(folder: Path) -> None:
    """Remove the report."""
    with suppress(OSError):
        (folder / RUN_FILE).unlink(missing_ok=True)


def read_running(folder: Path) -> RunningService | None:
    """Return the last report of the service of this state folder; None when none runs."""
    try:
        running = RunningService(**json.loads((folder / RUN_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return running if _alive(running.pid) else None


def stop_running(folder: Path, seconds: float) -> bool:
    """Ask the service of this state folder to drain and stop; returns whether it ended within `seconds`."""
    running = read_running(folder)
    if running is None:
        return True
    os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not _alive(running.pid):
            return True
        time.sleep(0.1)
    return False


def reload_running(folder: Path, seconds: float) -> str | None:
    """Ask the service of this state folder to read its settings again; return the result, None without an answer."""
    running = read_running(folder)
    if running is None:
        return None
    os.kill(running.pid, signal.SIGHUP)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = read_running(folder)
        if now is not None and now.reloads > running.reloads:
            return now.reload
        time.sleep(0.1)
    return None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # A process that has ended, and whose parent has not noticed, still takes signals (Linux).
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except OSError:
        return True
