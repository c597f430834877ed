"""A disk that fills up: mail is deferred, emergencies have the rest, and everything goes on when there is room."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.stores import fill, small_disk
from messaging.errors import Busy
from messaging.model.message import (
    Address,
    Delivery,
    DeviceReport,
    Inbound,
    Network,
    Receipt,
    ReceiptState,
    Sos,
    message_id,
)
from messaging.service.state_file import RunningService, StateFile, read_running
from messaging.store.console import contacts
from messaging.store.db.health import write_problem
from messaging.store.db.room import MEGABYTE, StoreRoom, free_megabytes
from tests.support.store import records as g
from tests.support.store.fixtures import opened, settings_for
from tests.support.store.records import Clock, Gateway

MARK_MB = 8


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own of 24 MB. Raises PermissionError for a person who may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    with small_disk(folder, 24) as mounted:
        yield mounted


@pytest.fixture
def small(disk: Path, clock: Clock) -> Iterator[Gateway]:
    for settings in opened(settings_for(f"sqlite:///{disk}/s.sqlite3", disk, min_free_mb=MARK_MB)):
        gateway = Gateway.starting(settings, clock)
        contacts.add_contact("boop", "mum", "mum@example.net", is_emergency=True)
        yield gateway


def leave(folder: Path, megabytes: float) -> Path:
    """Fill the disk but for so much."""
    filler = folder / "filler"
    filler.write_bytes(bytes(int(((free_megabytes(folder) or 0) - megabytes) * MEGABYTE)))
    return filler


def sos(key: str) -> DeviceReport:
    device = Address(Network.SATELLITE, "1001")
    return DeviceReport(id=message_id(key), sender=device, via="hive", sos=Sos.DECLARED)


def look_again(gateway: Gateway) -> None:
    """The room was measured less than a second ago."""
    gateway.router._room._look_at = 0.0


def offer(gateway: Gateway, record: Inbound) -> list[Delivery] | Exception:
    look_again(gateway)
    [result] = gateway.router.process([record])
    return result


def test_below_the_mark_mail_is_deferred_and_emergencies_are_taken(
    small: Gateway, disk: Path
) -> None:
    assert isinstance(offer(small, g.mail("calm")), list)
    filler = leave(disk, MARK_MB / 2)
    for record in (
        g.mail("new"),
        g.inquiry(),
        g.sms(),
        g.uplink(g.email("mum@example.net")),
        g.stranded(),
    ):
        assert isinstance(offer(small, record), Busy), record
    assert offer(small, g.mail("calm")) == []  # it is here already
    late = Receipt(via="hive", network_id="n1", state=ReceiptState.DELIVERED)
    for reported in (late, g.consent(False)):
        assert offer(small, reported) == []
    told = offer(small, sos("help"))
    assert isinstance(told, list)
    assert [one.message.recipient.value for one in told] == ["mum@example.net"]
    assert "no room: the disk of the store has" in (write_problem(small.settings) or "")
    filler.unlink()
    assert isinstance(offer(small, g.mail("new")), list)
    assert write_problem(small.settings) is None


def test_a_disk_without_any_room_refuses_and_goes_on_by_itself(small: Gateway, disk: Path) -> None:
    filler = fill(disk)
    assert isinstance(offer(small, g.mail("new")), Busy)
    assert "has 0 MB left" in (write_problem(small.settings) or "")
    filler.unlink()
    assert isinstance(offer(small, g.mail("new")), list)


def test_without_a_mark_the_write_itself_finds_the_full_disk(disk: Path, clock: Clock) -> None:
    for settings in opened(settings_for(f"sqlite:///{disk}/s.sqlite3", disk, min_free_mb=0)):
        gateway = Gateway.starting(settings, clock)
        filler = fill(disk)
        # What was written before leaves room inside the log of the store: it is used up first.
        found = [
            type(offer(gateway, g.mail(f"{n}", text="x" * 200_000))) is not list for n in range(200)
        ]
        assert found[-1]
        assert write_problem(settings) in ("the disk is full", "the disk of the database is full")
        filler.unlink()
        assert write_problem(settings) is None
        assert isinstance(offer(gateway, g.mail("new")), list)


def test_the_log_says_once_that_there_is_no_room_and_once_that_there_is(
    small: Gateway, disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    room = StoreRoom(small.settings, lambda: now)
    filler = leave(disk, 1)
    with caplog.at_level(logging.WARNING, "messaging.store.db.room"):
        for _ in range(3):
            now += 2
            assert not room.is_enough()
        filler.unlink()
        for _ in range(3):
            now += 2
            assert room.is_enough()
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_the_report_of_the_service_survives_a_full_disk(
    disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import os

    def report(state: str) -> RunningService:
        workers = [{"name": "x" * 5000}]
        return RunningService(os.getpid(), state, [], "", 0.0, 0.0, workers)

    state_file = StateFile(disk)
    state_file.write(report("running"))
    filler = fill(disk)
    with caplog.at_level(logging.WARNING, "messaging.service.state_file"):
        for _ in range(3):
            state_file.write(report("draining"))
        before = read_running(disk)
        filler.unlink()
        state_file.write(report("draining"))
    after = read_running(disk)
    assert before
    assert after
    assert (before.state, after.state) == ("running", "draining")
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "No space left on device" in caplog.text
