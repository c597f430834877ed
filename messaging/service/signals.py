"""Turns the signals that ask a process to end into an event."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGTERM, signal.SIGINT)


class StopRequest(threading.Event):
    """Set at a signal to end this process.

    Until `wait_for_me` is called, the first signal also interrupts the main thread with a KeyboardInterrupt: a start
    has nothing to settle, and may take long.
    """

    def __init__(self, *, interrupts: bool = False) -> None:
        super().__init__()
        self._interrupts = interrupts

    def wait_for_me(self) -> None:
        """Interrupt nothing from now on; the program reads the event by itself."""
        self._interrupts = False

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal. A second SIGINT interrupts in any case."""
        again = self.is_set()
        self.set()
        if number == signal.SIGINT if again else self._interrupts:
            raise KeyboardInterrupt


@contextmanager
def defer_signals() -> Iterator[None]:
    """Delay both signals until the context ends. A thread that starts within it never gets one."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


@contextmanager
def stopping_signal(*, interrupts: bool = False) -> Iterator[StopRequest]:
    """Set the event at SIGTERM or SIGINT instead of dying; a second SIGINT interrupts as usual."""
    stop = StopRequest(interrupts=interrupts)
    before = {number: signal.signal(number, stop.ask) for number in STOPPING}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
