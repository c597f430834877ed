"""Parses mails in a process of its own, one after another: a hostile mail delays neither the event loop nor others.

The process starts with the first mail, ends with the pipe to it, and after minutes without a mail. It gets no
environment but the import path, so it has no secrets. `python -m messaging.mail.parse.process` is its main program.
"""

import os
import pickle
import select
import signal
import struct
import subprocess
import sys
import time
from typing import IO, Final

from messaging.errors import Rejected, Unavailable
from messaging.mail.parse.mail import ParsedMail, read_mail

MAX_CPU_SECONDS: Final = 10.0
MAX_WALL_SECONDS: Final = 60.0
IDLE_SECONDS: Final = 300.0
UNREADABLE: Final = "the mail cannot be read: it takes too long to parse"

_LENGTH: Final = struct.Struct("!Q")


class ParserProcess:
    """The process as its user sees it. Blocking; one thread at a time.

    A mail that needs more than `max_cpu_seconds` is rejected; one that takes longer than `max_wall_seconds`, as on a
    busy machine, is to be offered again.
    """

    def __init__(
        self, max_cpu_seconds: float = MAX_CPU_SECONDS, max_wall_seconds: float = MAX_WALL_SECONDS
    ) -> None:
        self._max_cpu_seconds = max_cpu_seconds
        self._max_wall_seconds = max_wall_seconds
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The id of the process, None while there is none."""
        return self._process.pid if self._process else None

    def read_mail(self, data: bytes) -> ParsedMail:
        """Parse a mail as `read_mail` does. Raises Rejected; Unavailable if the process died or takes too long."""
        deadline = time.monotonic() + self._max_wall_seconds
        for is_last in (False, True):
            process = self._process = self._process or self._start()
            try:
                answer = _ask(process, data, deadline)
            except TimeoutError:
                self.close()
                raise Unavailable("a mail could not be parsed in time") from None
            except (OSError, EOFError):
                code = process.wait()
                self.close()
                if code == -signal.SIGPROF:
                    raise Rejected(UNREADABLE) from None
                if is_last or code != 0:  # 0: it had ended after minutes without a mail
                    raise Unavailable(f"the mail parser died with {code}") from None
            else:
                if isinstance(answer, ParsedMail):
                    return answer
                raise Rejected(str(answer))
        raise AssertionError("unreachable")

    def kill(self) -> None:
        """Kill the process, also while another thread waits for its answer; that thread closes it."""
        if (process := self._process) is not None:
            process.kill()

    def close(self) -> None:
        """Kill the process. Idempotent; a later mail starts another one."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        names = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR")
        environment = {name: os.environ[name] for name in names if name in os.environ}
        path = os.pathsep.join(path or os.getcwd() for path in sys.path)
        return subprocess.Popen(  # noqa: S603 (no text of a mail is in the command)
            [sys.executable, "-m", __name__, str(self._max_cpu_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment, "PYTHONPATH": path},
            bufsize=0,
        )


def _ask(process: "subprocess.Popen[bytes]", data: bytes, deadline: float) -> object:
    """Write a mail and read the answer. Raises TimeoutError, OSError, EOFError."""
    if process.stdin is None or process.stdout is None:
        raise EOFError
    reader, writer = process.stdout.fileno(), process.stdin.fileno()
    os.set_blocking(writer, False)
    rest = memoryview(_LENGTH.pack(len(data)) + data)
    while rest:
        _wait_for(writer, select.POLLOUT, deadline)
        rest = rest[os.write(writer, rest) :]
    [size] = _LENGTH.unpack(_read_exactly(reader, _LENGTH.size, deadline))
    return pickle.loads(_read_exactly(reader, size, deadline))  # noqa: S301


def _read_exactly(reader: int, size: int, deadline: float) -> bytes:
    found = b""
    while len(found) < size:
        _wait_for(reader, select.POLLIN, deadline)
        chunk = os.read(reader, size - len(found))
        if not chunk:
            raise EOFError
        found += chunk
    return found


def _wait_for(file: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(file, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError


def serve(
    reader: IO[bytes],
    writer: IO[bytes],
    max_cpu_seconds: float,
    idle_seconds: float = IDLE_SECONDS,
) -> None:
    """Answer each mail on `reader` with its content, or with the reason of a `Rejected`.

    Return at the end of `reader`, and after `idle_seconds` without a mail.
    """
    while select.select([reader], [], [], idle_seconds)[0]:
        head = reader.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return
        data = reader.read(_LENGTH.unpack(head)[0])
        signal.setitimer(signal.ITIMER_PROF, max_cpu_seconds)  # its signal ends the process
        answer: ParsedMail | str
        try:
            answer = read_mail(data)
        except Rejected as error:
            answer = error.reason
        signal.setitimer(signal.ITIMER_PROF, 0)
        content = pickle.dumps(answer)
        writer.write(_LENGTH.pack(len(content)) + content)
        writer.flush()


if __name__ == "__main__":
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the owner ends this one
    serve(sys.stdin.buffer, sys.stdout.buffer, float(sys.argv[1]))
