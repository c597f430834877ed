"""Sums up log records that repeat: prints the first ones of a minute, and then one line with their number."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TextIO

from messaging.logs.records import details

WINDOW_SECONDS = 60.0
# Of records without a kind, which are summed up by their logger and their text without arguments.
FIRST_RECORDS = 20
# Texts that never repeat, such as those of foreign libraries, share one kind for each logger beyond this number.
MAX_KINDS = 500

Key = tuple[str, str]


@dataclass(slots=True)
class _Window:
    """The records of one kind since `began`; `last` is the latest that was not printed."""

    began: float
    printed: int = 0
    left_out: int = 0
    last: logging.LogRecord | None = None


class Repeats:
    """Counts the records of each kind.

    Records without a kind are never left out if they are of INFO or below, or about one message.
    """

    def __init__(
        self, window_seconds: float = WINDOW_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = window_seconds
        self._clock = clock
        self._windows: dict[Key, _Window] = {}

    def admits(self, record: logging.LogRecord) -> bool:
        """Count the record; return whether to print it."""
        kind = getattr(record, "kind", "")
        is_single = record.levelno < logging.WARNING or bool(getattr(record, "message_id", ""))
        if not kind and is_single:
            return True
        key = (record.name, kind or str(record.msg))
        if key not in self._windows and len(self._windows) >= MAX_KINDS:
            key = (record.name, "")
        window = self._windows.setdefault(key, _Window(self._clock()))
        if window.printed < (1 if kind else FIRST_RECORDS):
            window.printed += 1
            return True
        window.left_out += 1
        window.last = record
        return False

    def summaries(self, *, at_end: bool = False) -> list[logging.LogRecord]:
        """Return a record for each kind whose minute is over (`at_end`: for every kind) and that had more records."""
        now = self._clock()
        found = []
        for key, window in list(self._windows.items()):
            seconds = now - window.began
            if at_end or seconds >= self._seconds:
                del self._windows[key]
                if window.last is not None:
                    found.append(_summary(key, window, window.last, seconds))
        return found

    @property
    def next_seconds(self) -> float | None:
        """The time until the next summary, None when every record was printed."""
        began = [window.began for window in self._windows.values() if window.left_out]
        return max(min(began) + self._seconds - self._clock(), 0.0) if began else None


def _summary(key: Key, window: _Window, last: logging.LogRecord, seconds: float) -> Any:
    name, kind = key
    text = "%d more like this within %.0f s: %s"
    arguments = (window.left_out, seconds, kind or "other texts")
    record = logging.LogRecord(
        name, last.levelno, last.pathname, last.lineno, text, arguments, None
    )
    for field, value in details(repeats=window.left_out).items():
        setattr(record, field, value)
    return record


class SummingHandler(logging.StreamHandler[TextIO]):
    """Writes records, and sums up repeats. A summary appears at the end of its minute even when no record follows."""

    def __init__(self, stream: TextIO, repeats: Repeats | None = None) -> None:
        super().__init__(stream)
        self._repeats = repeats or Repeats()
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record unless it repeats. The caller holds the handler's lock."""
        self._write_summaries()
        if self._repeats.admits(record):
            super().emit(record)
        elif self._thread is None:
            self._thread = threading.Thread(target=self._run, name="log-summary", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Write the summaries that are left."""
        self._ended.set()
        with self.lock or threading.RLock():
            self._write_summaries(at_end=True)
        super().close()

    def _run(self) -> None:
        # Signals are for the main thread, which may wait for one.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while (seconds := self._repeats_left()) is not None and not self._ended.wait(seconds):
            with self.lock or threading.RLock():
                self._write_summaries()

    def _repeats_left(self) -> float | None:
        """Return the time until the next summary. Without one, the thread ends and the next repeat starts another."""
        with self.lock or threading.RLock():
            seconds = self._repeats.next_seconds
            if seconds is None:
                self._thread = None
            return seconds

    def _write_summaries(self, *, at_end: bool = False) -> None:
        for record in self._repeats.summaries(at_end=at_end):
            super().emit(record)
