"""Turns the signals that ask a process to end into an event."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_OTHERS = (
    {signal.SIGKILL, signal.SIGSTOP}  # no process can handle these
    | {signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV}  # of a crash
    | {signal.SIGSYS, signal.SIGTRAP}
    | {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}  # end no process
    | {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
    | {signal.SIGPIPE, signal.SIGXFSZ}  # which Python ignores
    | {signal.SIGHUP}
)
STOPPING = tuple(sorted(signal.valid_signals() - _OTHERS))
"""Every signal that would end a process without a word, SIGTERM and SIGINT among them; each asks it to end well."""


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


def ignore_hangup() -> None:
    """Let SIGHUP end neither this process nor any that it starts: a terminal that closes, or a rotation of logs."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


@contextmanager
def hangup_signal() -> Iterator[threading.Event]:
    """Set the event at each SIGHUP. Processes that were started before go on ignoring it."""
    hangup = threading.Event()
    before = signal.signal(signal.SIGHUP, lambda *_: hangup.set())
    try:
        yield hangup
    finally:
        signal.signal(signal.SIGHUP, before)


@contextmanager
def defer_signals() -> Iterator[None]:
    """Delay these signals until the context ends. A thread that starts within it never gets one."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


@contextmanager
def stopping_signal(*, interrupts: bool = False) -> Iterator[StopRequest]:
    """Set the event at each of these signals instead of dying; a second SIGINT interrupts as usual."""
    stop = StopRequest(interrupts=interrupts)
    before = {number: signal.signal(number, stop.ask) for number in STOPPING}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
