"""Operators that the Ray tests run in other processes; what they did stands in files that the tests read."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path


class Recorder:
    """Durable: writes each record to a file before it answers. Refuses what starts with `no`."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._seen: set[str] = set()

    def process(self, records: list[str]) -> list[list[str] | Exception]:
        return [self._one(record) for record in records]

    def _one(self, record: str) -> list[str] | Exception:
        if record.startswith("no"):
            return ValueError("refused")
        with (self._folder / "recorded").open("a") as file:
            file.write(f"{record} {os.getpid()}\n")
        return [record]

    def take_back(self, outputs: list[str]) -> None:
        raise AssertionError("there is room")


class Ticker:
    """A source that counts for ever."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._stopping = False

    async def run(self, emit: Callable[[str], Awaitable[None]]) -> None:
        number = 0
        while not self._stopping:
            await emit(f"tick-{os.getpid()}-{number}")
            number += 1
            await asyncio.sleep(0.01)

    async def drain(self) -> None:
        self._stopping = True


def shout(records: list[str]) -> list[list[str]]:
    """A function without state; `crash` kills its process in mid-batch."""
    if "crash" in records:
        os._exit(1)
    return [[record.upper()] for record in records]


class Diary:
    """Notes its process at every look; each look then fails."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def look(self) -> None:
        with (self._folder / "recorded").open("a") as file:
            file.write(f"{os.getpid()}\n")
        raise RuntimeError("this look fails, and the next one comes all the same")

    def pid(self) -> int:
        return os.getpid()

    def fail(self) -> float:
        return 1 / 0


def nothing() -> None:
    """What has to be set up here."""


class Unmakeable:
    """Cannot be constructed."""

    def __init__(self) -> None:
        raise RuntimeError("the port is taken")


def lines(folder: Path, seconds: float = 60, at_least: int = 1) -> list[str]:
    """The recorded lines, once there are so many."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = (folder / "recorded").read_text().split("\n")[:-1] if any(folder.iterdir()) else []
        if len(found) >= at_least:
            return found
        time.sleep(0.05)
    raise AssertionError(f"fewer than {at_least} records after {seconds} s")
