"""Old texts, rows and positions go, ids stay, and dead letters are bounded."""

import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import connection
from typer.testing import CliRunner

from messaging.cli.app import app
from messaging.config.settings import Settings
from messaging.errors import Rejected
from messaging.model.message import DeadLetter, DeviceReport, Position, message_id
from messaging.store.console import messages as history
from messaging.store.db.connection import store_errors
from messaging.store.models import (
    Delivery,
    DevicePosition,
    KeptChange,
    Message,
    RemovedMessage,
)
from messaging.store.queue.removal import blank_addresses, delete_deliveries
from messaging.store.retention.quota import Kept, read_counts
from messaging.store.retention.sweeper import PAGE_ROWS, Sweeper, vacuum
from messaging.store.states import IllegalTransition
from tests.support.store import records as g
from tests.support.store.fixtures import opened, settings_for
from tests.support.store.records import Clock, Gateway

DAY = 86_400.0


class Seconds:
    """A monotonic clock that each pause of the sweeper advances."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def sweep(settings: Settings, clock: Clock, turns: int = 40) -> Sweeper:
    """Let a sweeper work until each job has found nothing more."""
    seconds = Seconds()
    sweeper = Sweeper(settings, clock, seconds)
    for _ in range(turns):
        seconds.now += 2
        sweeper.turn()
    return sweeper


def letter(key: str, raw: bytes = b"raw", to: str = "boop@example.org") -> DeadLetter:
    return DeadLetter(
        id=message_id(key), sender=g.email("mta@example.net"), via="smtp", raw=raw,
        reason="no delivery", recipient=g.email(to),
    )  # fmt: skip


def only_texts(gateway: Gateway, days: float = 10) -> Settings:
    return gateway.settings.model_copy(
        update={"keep_texts_days": days, "keep_messages_days": 0, "keep_dead_letters_days": 0}
    )


def test_texts_go_after_their_days_and_waiting_ones_stay(gateway: Gateway, clock: Clock) -> None:
    gateway.settle(gateway.take_one(g.mail("sent", text="secret")))
    gateway.take_one(g.mail("waits", text="waiting"))
    clock.turn(11 * DAY)
    gateway.settle(gateway.take_one(g.uplink(g.email("mum@example.net"), "new")))
    sweeper = sweep(only_texts(gateway), clock)
    assert sorted(Message.objects.values_list("text", flat=True)) == ["", "all well", "waiting"]
    old = Message.objects.get(id=message_id("sent"))
    assert (old.subject, old.text_removed_at) == ("", clock.now)
    assert old.sender == "friend@example.com"
    assert Delivery.objects.get(message=old).state == "sent"
    assert sweeper.counters["texts_removed"] == 1
    assert gateway.router.process([g.mail("sent", text="secret")]) == [[]]  # a repeat


def test_a_message_without_its_text_is_not_sent_again(gateway: Gateway, clock: Clock) -> None:
    gateway.settle(gateway.take_one(g.mail("lost", text="secret")), Rejected("no"))
    clock.turn(11 * DAY)
    sweep(only_texts(gateway), clock)
    done = history.retry(message_id("lost"), gateway.settings)
    assert (done.due_now, done.left_alone) == (0, 1)


def test_rows_go_and_their_ids_stay(gateway: Gateway, clock: Clock) -> None:
    gateway.settle(gateway.take_one(g.mail("sent")))
    gateway.take_one(g.mail("waits"))
    clock.turn(11 * DAY)
    sweep(gateway.settings.model_copy(update={"keep_messages_days": 10}), clock)
    assert list(Message.objects.values_list("id", flat=True)) == [message_id("waits")]
    assert list(RemovedMessage.objects.values_list("id", flat=True)) == [message_id("sent")]
    assert Delivery.objects.count() == 1
    assert gateway.router.process([g.mail("sent")]) == [[]]
    assert Message.objects.count() == 1


def test_zero_days_keep_everything(gateway: Gateway, clock: Clock) -> None:
    gateway.settle(gateway.take_one(g.mail("sent", text="secret")))
    clock.turn(10_000 * DAY)
    names = ("texts", "dead_letters", "messages", "positions")
    sweep(gateway.settings.model_copy(update={f"keep_{n}_days": 0 for n in names}), clock)
    assert Message.objects.get().text == "secret"


def test_many_rows_go_a_page_at_a_time(sqlite_gateway: Gateway, clock: Clock) -> None:
    gateway = sqlite_gateway
    number = 2 * PAGE_ROWS + 7
    for start in range(0, number, 500):
        rows = [
            Message(
                id=f"{n:032x}",
                sender_network="email",
                sender="a@b.example",
                via="smtp",
                text="x",
                created_at=clock.now + timedelta(seconds=n // 600),
            )
            for n in range(start, min(start + 500, number))
        ]
        Message.objects.bulk_create(rows)
    clock.turn(11 * DAY)
    settings = gateway.settings.model_copy(update={"keep_dead_letters_days": 10})
    seconds = Seconds()
    sweeper = Sweeper(settings, clock, seconds)
    left = [number]
    while left[-1]:
        seconds.now += 2
        sweeper.turn()
        left.append(Message.objects.count())
        assert len(left) < 60
    assert max(a - b for a, b in pairwise(left)) <= PAGE_ROWS
    assert RemovedMessage.objects.count() == number


def test_positions_go_after_their_days(gateway: Gateway, clock: Clock) -> None:
    for key, age in (("old", 400), ("new", 1)):
        report = DeviceReport(
            id=message_id(key), sender=g.uplink(g.email("x@y.example")).sender, via="hive",
            at=clock.now - timedelta(days=age), position=Position(latitude=1.0, longitude=2.0),
        )  # fmt: skip
        assert gateway.router.process([report]) == [[]]
    sweep(gateway.settings, clock)
    assert list(DevicePosition.objects.values_list("id", flat=True)) == [message_id("new")]


def test_the_verbs_refuse_what_waits(gateway: Gateway) -> None:
    gateway.take_one(g.mail("waits"))
    with pytest.raises(IllegalTransition):
        delete_deliveries([message_id("waits")])
    with pytest.raises(IllegalTransition):
        blank_addresses(Delivery.objects.all())
    assert Delivery.objects.get().recipient == "1001"


@pytest.fixture
def bounded(settings: Settings, clock: Clock) -> Gateway:
    limits = {"max_kept_per_subscriber": 5, "max_kept": 8, "max_hourly_kept_per_subscriber": 0}
    return Gateway.starting(settings.model_copy(update=limits), clock)


def test_dead_letters_of_one_subscriber_and_of_all_are_bounded(bounded: Gateway) -> None:
    gateway = bounded
    results = gateway.router.process([letter(str(n)) for n in range(20)])
    assert results == [[]] * 20  # each is answered with yes
    assert Message.objects.count() == 5
    for n in range(20):
        gateway.router.process([letter(f"unknown{n}", to="nobody@elsewhere.example")])
    assert Message.objects.count() == 8
    assert gateway.router.status()["not_kept"] == 15 + 17


def test_the_bytes_of_dead_letters_are_bounded(settings: Settings, clock: Clock) -> None:
    limits = {"max_kept_mb_per_subscriber": 0.05, "max_hourly_kept_per_subscriber": 0}
    gateway = Gateway.starting(settings.model_copy(update=limits), clock)
    for n in range(20):
        gateway.router.process([g.stranded(str(n), raw=b"x" * 10_000)])
    assert Message.objects.count() == 5


def test_dead_letters_are_paced(settings: Settings, clock: Clock) -> None:
    limits = {"max_hourly_kept_per_subscriber": 3}
    gateway = Gateway.starting(settings.model_copy(update=limits), clock)
    for n in range(20):
        assert gateway.router.process([letter(str(n))]) == [[]]
    assert Message.objects.count() == 3


def test_a_mail_keeps_its_header_and_the_beginning_of_its_body(gateway: Gateway) -> None:
    header = b"Subject: x\r\nX-Long: " + b"y" * 5000 + b"\r\n\r\n"
    gateway.router.process([letter("big", header + b"z" * 1_000_000)])
    raw = bytes(Message.objects.get().raw or b"")
    assert raw == header + b"z" * 16_384


def test_two_routers_write_their_counts_without_waiting_for_each_other(
    bounded: Gateway, clock: Clock
) -> None:
    bounded.router.process([letter("one", b"12345")])
    bounded.router.process([letter("two", b"123")])
    assert KeptChange.objects.count() == 2  # inserted, never updated
    [kept] = read_counts().values()
    assert kept == Kept(2, 8)
    sweep(bounded.settings, clock)
    assert KeptChange.objects.count() == 1
    assert list(read_counts().values()) == [kept]
    clock.turn(100 * DAY)
    sweep(bounded.settings, clock)
    assert list(read_counts().values()) == [Kept(0, 0)]
    assert Message.objects.count() == 0


def test_a_new_file_gives_its_pages_back(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "new.sqlite3"
    for settings in opened(settings_for(f"sqlite:///{file}", tmp_path)):
        gateway = Gateway.starting(settings, clock)
        gateway.router.process([g.stranded("big", raw=bytes(1_000_000) * 4)])
        gateway.router.process([g.stranded(str(n), raw=bytes(1_000_000)) for n in range(4)])
        clock.turn(100 * DAY)
        sweep(settings, clock, 200)
        with store_errors(), connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        assert file.stat().st_size < 3_000_000


@pytest.fixture
def older_file(tmp_path: Path, clock: Clock) -> Iterator[Settings]:
    file = tmp_path / "older.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE something (x)")
    yield from opened(settings_for(f"sqlite:///{file}", tmp_path))


def test_an_older_file_is_left_as_it_is(older_file: Settings) -> None:
    with store_errors(), connection.cursor() as cursor:
        [[mode]] = cursor.execute("PRAGMA auto_vacuum").fetchall()
        assert (mode, vacuum()) == (0, 0)


def test_compact_says_what_it_needs_and_shrinks_an_older_file(
    older_file: Settings, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SATBRIDGE_DATABASE_URL", older_file.database_url.get_secret_value())
    monkeypatch.setenv("SATBRIDGE_STATE_DIR", str(tmp_path))
    gateway = Gateway.starting(older_file, clock)
    gateway.router.process([g.stranded(str(n), raw=bytes(1_000_000)) for n in range(5)])
    clock.turn(100 * DAY)
    sweep(older_file, clock)
    file = tmp_path / "older.sqlite3"
    asked = CliRunner().invoke(app, ["compact"], input="n\n")
    assert (asked.exit_code, "of which 5." in asked.stdout) == (1, True), asked.stdout
    done = CliRunner().invoke(app, ["compact", "--yes"])
    assert (done.exit_code, " MB became 0." in done.stdout) == (0, True), done.output
    assert file.stat().st_size < 1_000_000
    with store_errors(), connection.cursor() as cursor:
        [[mode]] = cursor.execute("PRAGMA auto_vacuum").fetchall()
        [[found]] = cursor.execute("PRAGMA quick_check").fetchall()
    assert (mode, found) == (2, "ok")


def test_due_sweeps_when_it_has_nothing_else_to_do(gateway: Gateway, clock: Clock) -> None:
    gateway.settle(gateway.take_one(g.mail("sent", text="secret")))
    clock.turn(400 * DAY)
    gateway.owed()
    assert Message.objects.get().text == ""
    assert gateway.due.status()["swept"] == {"texts": 1, "texts_removed": 1}


def test_a_name_of_a_message_in_a_kept_row_is_still_found(gateway: Gateway) -> None:
    record = replace(letter("x"), raw=b64encode(b"x" * 10))
    gateway.router.process([record, record])
    assert Message.objects.count() == 1
