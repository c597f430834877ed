"""The cost of a long queue: claims, counts and the list of the admin with 100,000 deliveries waiting, against 1,000."""

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.figures import Line
from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.model.message import Address, Message, Network, message_id
from messaging.store.db.connection import close_connection, migrate_store, open_store

FEW, MANY = 1_000, 100_000
SUBSCRIBERS = 200
REPEATS = 7


def measure() -> list[Line]:
    """Fill two stores and ask both the same."""
    few, many = _time_questions(FEW), _time_questions(MANY)
    return [
        Line(
            f"{what}, {MANY:,} waiting",
            many[what],
            "ms",
            f"ms with {FEW:,}",
            few[what],
            None,
            "SQLite",
        )
        for what in many
    ]


def _time_questions(waiting: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        settings = read(
            Settings,
            database_url=f"sqlite:///{name}/store.sqlite3",
            state_dir=Path(name),
            mail_domain="example.org",
            max_waiting_per_subscriber=0,
            max_hourly_per_pair=0,
            burst_hourly_per_author=0,
            burst_hourly_per_device=0,
            burst_hourly_in_total=0,
            lease_seconds=0.001,
        )
        open_store(settings)
        migrate_store()
        _fill(settings, waiting)
        found = {what: _milliseconds(ask) for what, ask in _questions(settings).items()}
        close_connection()
        return found


def _fill(settings: Settings, waiting: int) -> None:
    from messaging.store.accept.router import Router
    from messaging.store.console.directory import add_device, add_subscriber

    for number in range(SUBSCRIBERS):
        add_subscriber(f"user{number}")
        add_device(str(number + 1), owner=f"user{number}", network="hive", networks=["hive"])
    router = Router(settings, {})
    messages = [_message(number) for number in range(waiting)]
    for start in range(0, waiting, 500):
        router.process(messages[start : start + 500])


def _message(number: int) -> Message:
    return Message(
        id=message_id("bench", str(number)),
        sender=Address(Network.EMAIL, "author@example.net"),
        recipient=Address(Network.EMAIL, f"user{number % SUBSCRIBERS}@example.org"),
        text="four hundred bytes " * 20,
        via="smtp",
    )


def _questions(settings: Settings) -> dict[str, Callable[[], object]]:
    from messaging.store.console.messages import list_messages
    from messaging.store.console.queues import counts
    from messaging.store.console.selection import MessageFilter
    from messaging.store.queue.claims import Claims

    claims = Claims(settings)
    return {
        "claim of 100": lambda: claims.claim("hive", 100, datetime.now(UTC)),
        "status": counts,
        "list of 50": lambda: list_messages(MessageFilter()),
        "list of 50 that failed": lambda: list_messages(MessageFilter(state="failed")),
    }


def _milliseconds(ask: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        began = time.monotonic()
        ask()
        times.append((time.monotonic() - began) * 1000)
    return median(times)
