"""Watches the statements of a test: only `messaging/store/queue/` may write rows of deliveries."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

import messaging
from tests.support.paths import ROOT

PACKAGE = str(Path(messaging.__file__).parent)
QUEUE = f"{PACKAGE}/store/queue/"
DATABASE = f"{PACKAGE}/store/db/"
TESTS = str(ROOT / "tests")
WRITE = re.compile(r'\s*(INSERT INTO|UPDATE|DELETE FROM)\s+"?users_delivery"?[\s(]', re.IGNORECASE)


class WriteGuard:
    """An execute wrapper of Django. Refuses a write of deliveries from outside the queue, and remembers it.

    The code that writes is the innermost frame that belongs to the package, without `store/db`, or to the tests. A
    test may write: it prepares rows, and fixtures clean up.
    """

    def __init__(self) -> None:
        self.violations: list[str] = []

    def __call__(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        if WRITE.match(str(sql)):
            writer = innermost_writer(sys._getframe(1))
            if writer.startswith(PACKAGE) and not writer.startswith(QUEUE):
                self.violations.append(f"{writer}: {str(sql)[:60]}")
                raise AssertionError(f"{writer} writes deliveries; only store/queue/ may")
        return execute(sql, params, many, context)


def innermost_writer(frame: FrameType | None) -> str:
    """Return the file of the innermost frame of the package or the tests; empty if there is none."""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith((PACKAGE, TESTS)) and not file.startswith((DATABASE, __file__)):
            return file
        frame = frame.f_back
    return ""


@contextmanager
def guarded_connections() -> Iterator[WriteGuard]:
    """Watch every connection that this process has or opens, in all threads; raise at the end if one was misused."""
    guard = WriteGuard()
    watched: list[BaseDatabaseWrapper] = []

    def watch(connection: BaseDatabaseWrapper, **_: Any) -> None:
        if guard not in connection.execute_wrappers:
            connection.execute_wrappers.append(guard)
            watched.append(connection)

    connection_created.connect(watch, weak=False)
    for connection in connections.all(initialized_only=True):
        watch(connection)
    try:
        yield guard
    finally:
        connection_created.disconnect(watch)
        for connection in watched:
            if guard in connection.execute_wrappers:
                connection.execute_wrappers.remove(guard)
    # The gateway may have caught the error and answered "later".
    if guard.violations:
        raise AssertionError("\n".join(guard.violations))


@pytest.fixture(autouse=True)
def write_guard() -> Iterator[WriteGuard]:
    """Fails the test if anything but the queue writes deliveries, in whichever thread of this process."""
    with guarded_connections() as guard:
        yield guard
