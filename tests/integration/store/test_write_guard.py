"""Only the queue writes deliveries: the guard that watches every test of the store catches a writer elsewhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

import messaging
from messaging.errors import Unavailable
from messaging.store.db.connection import BatchRunner, store_errors
from messaging.store.models import Delivery
from messaging.store.queue.operator_actions import cancel
from messaging.store.states import State
from tests.support.store.records import Gateway
from tests.support.store.write_guard import WriteGuard, guarded_connections

STORE = Path(messaging.__file__).parent / "store"
WRITERS = {
    "update": "rows.update(reason='x')",
    "delete": "rows.delete()",
    "insert": "rows.model.objects.bulk_create([one]) if (one := rows.get()) and not setattr(one, 'pk', None) else 0",
    "raw": "cursor.execute('UPDATE users_delivery SET reason = %s', ['x'])",
}


def code_in(file: Path, statement: str) -> Callable[..., Any]:
    """Return a function whose code seems to stand in that file."""
    names: dict[str, Any] = {}
    source = f"def write(rows, cursor):\n    return {statement}\n"
    exec(compile(source, str(file), "exec"), names)
    write: Callable[..., Any] = names["write"]
    return write


def run(write: Callable[..., Any]) -> None:
    with store_errors(), connection.cursor() as cursor:
        write(Delivery.objects.all(), cursor)


@pytest.mark.parametrize("statement", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize(
    "file", ["accept/transaction.py", "console/messages.py", "receipts/parts.py"]
)
def test_a_writer_outside_the_queue_is_caught(
    sqlite_gateway: Gateway, write_guard: WriteGuard, statement: str, file: str
) -> None:
    sqlite_gateway.take_one()
    with pytest.raises(AssertionError, match="only store/queue/ may"):
        run(code_in(STORE / file, statement))
    files = [violation.split(":")[0] for violation in write_guard.violations]
    # Otherwise the fixture would fail this test at its end.
    write_guard.violations.clear()
    assert files == [str(STORE / file)]


@pytest.mark.parametrize("statement", WRITERS.values(), ids=WRITERS)
def test_the_queue_may_write(
    sqlite_gateway: Gateway, write_guard: WriteGuard, statement: str
) -> None:
    sqlite_gateway.take_one()
    run(code_in(STORE / "queue" / "anew.py", statement))
    assert write_guard.violations == []


def test_other_tables_and_queries_are_not_watched(
    sqlite_gateway: Gateway, write_guard: WriteGuard
) -> None:
    sqlite_gateway.take_one()
    statement = "(cursor.execute('DELETE FROM users_handedpart'), list(rows.filter(leased=True)))"
    run(code_in(STORE / "console" / "messages.py", statement))
    assert write_guard.violations == []


def test_a_violation_fails_its_test_even_if_the_gateway_answers_later(
    sqlite_gateway: Gateway, write_guard: WriteGuard
) -> None:
    sqlite_gateway.take_one()
    connection.execute_wrappers.remove(write_guard)  # it would see the statement first
    write = code_in(STORE / "accept" / "transaction.py", WRITERS["raw"])

    def run_one() -> None:
        run(write)

    runner = BatchRunner("router")
    with pytest.raises(AssertionError, match=r"accept/transaction\.py"), guarded_connections():
        assert isinstance(runner.run_one(run_one), Unavailable)


def test_the_whole_way_of_a_message_is_watched(gateway: Gateway, write_guard: WriteGuard) -> None:
    delivery = gateway.take_one()
    gateway.settle(delivery, Unavailable("busy"))
    gateway.clock.turn(121)
    [again] = gateway.owed()
    gateway.router.take_back([again])
    with store_errors():
        assert write_guard in connection.execute_wrappers
        cancel(Delivery.objects.all(), gateway.clock.now)
    assert Delivery.objects.get().state == State.CANCELLED
