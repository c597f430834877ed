"""The parts of the soak: its spool and judge, its rule of what is flat, its rounds of faults."""

import tracemalloc
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chaos.arrivals import Arrival
from chaos.context import Context
from chaos.judge import Judge, ScenarioResult
from chaos.record import TOKEN, Direction, Offer
from chaos.soak.command import report
from chaos.soak.faults import Fault, Faults, soak_faults
from chaos.soak.record import SpooledRecord
from chaos.soak.run import SoakOptions, SoakResult
from chaos.soak.samples import DISK, Series, role_of, series_of, size_mb
from chaos.soak.spool import Spool
from messaging.sending.split import split

RUN = "0123abcd"
MANY = 4000


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool") as spool:
        yield spool


def send(record: SpooledRecord, spool: Spool, count: int) -> None:
    """Offer messages that all arrive, the long ones in parts, and are sent."""
    for number in range(count):
        offer = record.offer(Direction.MAIL, str(1000 + number % 3))
        text = offer.compose()
        record.yes(offer)
        for part in split(text, len, 150, 9):
            spool.add_arrival(Arrival(str(offer.recipient), part))
        spool.add_deliveries([(offer.token, "sent", 0)])


def result_of(spool: Spool) -> ScenarioResult:
    judge = Judge()
    spool.judge_all(judge)
    return judge.result(two_ids=spool.mails_with_two_ids(), gap_seconds=0, settle_seconds=0)


def test_messages_of_several_parts_that_all_arrive_are_no_problem(spool: Spool) -> None:
    send(SpooledRecord(RUN, spool), spool, 30)
    result = result_of(spool)
    assert (result.offered, result.yes, result.final) == (30, 30, 30)
    assert (result.lost, result.wrong, result.twice) == (0, 0, 0)
    assert result.problems == ()
    assert spool.arrived == 30


@pytest.mark.parametrize(
    ("arrivals", "states", "problem"),
    [
        ([], [("sent", 0)], "lost: "),
        ([("1000", "mail {}")], [], "not final: "),
        ([("1000", "mail {}")], [("sent", 0), ("waiting", 0)], "not final: "),
        ([("1001", "mail {}")], [("sent", 0)], "arrived at the wrong recipient 1001: "),
        ([("1000", "mai {}")], [("sent", 0)], "arrived with another text: "),
        ([("1000", "mail {}")] * 2, [("sent", 0)], "twice and not marked: "),
    ],
)
def test_a_message_that_is_lost_changed_or_doubled_is_seen(
    spool: Spool, arrivals: list[tuple[str, str]], states: list[tuple[str, int]], problem: str
) -> None:
    record = SpooledRecord(RUN, spool)
    send(record, spool, 20)
    offer = record.offer(Direction.MAIL, "1000")
    offer.text = f"mail {offer.token}"
    record.yes(offer)
    for recipient, text in arrivals:
        spool.add_arrival(Arrival(recipient, text.format(offer.token)))
    spool.add_deliveries((offer.token, state, uncertain) for state, uncertain in states)
    assert result_of(spool).problems == (f"{problem}{offer.token}",)


def test_a_mail_that_comes_twice_needs_one_message_id(spool: Spool) -> None:
    record = SpooledRecord(RUN, spool)
    send(record, spool, 20)
    offer = record.offer(Direction.LETTER, "friend@example.net")
    arrival = Arrival("friend@example.net", offer.compose())
    record.yes(offer)
    spool.add_deliveries([(offer.token, "sent", 1)])
    for _ in range(2):
        spool.add_arrival(arrival, "<one@example.org>")
    assert result_of(spool).problems == ()
    spool.add_arrival(arrival, "<other@example.org>")
    assert result_of(spool).problems == ("twice under another Message-ID: 1",)


def test_the_record_keeps_open_messages_only_and_the_judge_sees_them_too(spool: Spool) -> None:
    record = SpooledRecord(RUN, spool)
    send(record, spool, 5)
    refused = record.offer(Direction.MAIL, "1000")
    refused.refused = "550 no"
    assert record.offers == [refused]
    record.close()
    assert record.offers == []
    result = result_of(spool)
    assert (result.offered, result.yes) == (6, 5)
    assert result.problems == (f"refused for good: {refused.token}: 550 no",)


def test_a_yes_that_is_noted_twice_counts_once(spool: Spool) -> None:
    record = SpooledRecord(RUN, spool)
    offer = record.offer(Direction.MAIL, "1000")
    record.yes(offer)
    record.yes(offer)
    assert result_of(spool).offered == 1


@pytest.mark.parametrize("number", [0, 99_999, 100_000, 1_234_567])
def test_tokens_of_every_length_are_found(number: int) -> None:
    token = f"{RUN}-mail-{number:05}"
    match = TOKEN.search(f"mail {token} {token}")
    assert match
    assert match[0] == token
    assert Offer(token, Direction.MAIL).number == number


def test_the_memory_of_the_judge_does_not_grow_with_the_messages(spool: Spool) -> None:
    tracemalloc.start()
    try:
        send(SpooledRecord(RUN, spool), spool, MANY)
        assert result_of(spool).yes == MANY
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Objects that wait for the garbage collector, some 100 kB; the texts alone would be ten times as much.
    assert peak < 300_000


# -- samples


def samples(second: float, last: float) -> list[tuple[int, float]]:
    """Return samples of 1,000 messages whose last quarter differs from the second."""
    return [(at, last if at >= 750 else second) for at in range(0, 1000, 25)]


@pytest.mark.parametrize(
    ("second", "last", "is_flat"),
    [(100, 100, True), (100, 119, True), (100, 125, False), (10, 17, True), (10, 19, False)],
)
def test_memory_is_flat_up_to_a_fifth_or_a_few_megabytes(
    second: float, last: float, is_flat: bool
) -> None:
    series = series_of("router", "pss_mb", samples(second, last), 1000)
    assert series == Series("router", "pss_mb", second, last, max(second, last))
    assert series.is_flat is is_flat


@pytest.mark.parametrize(("power", "is_flat"), [(1, True), (2, False)])
def test_a_disk_may_grow_with_the_messages_but_not_faster_and_faster(
    power: int, is_flat: bool
) -> None:
    grown = [(at, (at / 1000) ** power * 3) for at in range(0, 10_000, 100)]
    series = series_of("store", DISK, grown, 10_000)
    assert series
    assert series.is_flat is is_flat


def test_too_few_samples_are_not_judged() -> None:
    assert series_of("router", "pss_mb", [(300, 1), (400, 1), (900, 1), (950, 1)], 1000) is None


@pytest.mark.parametrize(
    ("line", "role"),
    [
        ("/opt/venv/bin/python -m messaging up ", "up"),
        ("/opt/venv/bin/python -m messaging simulate hive --device=1 --port=0 ", "simulator-hive"),
        ("/opt/venv/bin/python -m chaos.soak --count 2000 ", "harness"),
        ("ray::ServeReplica:web:app.handle_request", "ServeReplica"),
        ("ray::IDLE", "IDLE"),
        ("ray::Host.process", "starting"),
        ("ray::gateway/hive-out/0:Host.__init__", "starting"),
        ("/opt/venv/ray/core/src/ray/raylet/raylet --raylet_socket_name=x ", "raylet"),
        ("/opt/venv/bin/python -u /opt/venv/ray/dashboard/agent.py --port=1 ", "agent"),
        ("postgres: walwriter ", "postgres"),
        ("/usr/bin/sleep 5 ", "sleep"),
        ("", "ended"),
    ],
)
def test_processes_are_told_apart_by_their_role(line: str, role: str) -> None:
    assert role_of(line) == role


def test_the_size_of_a_folder_is_what_its_files_take(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_bytes(b"x" * 2**20)
    assert size_mb(tmp_path) == pytest.approx(1, abs=0.1)


# -- faults


class QuickContext(Context):
    """A context whose waits take no time."""

    def wait(self, seconds: float) -> None:
        """Return at once."""


def quick_context(*, exit_codes: Iterator[int | None]) -> tuple[QuickContext, list[str]]:
    """Return a context whose gateway has these exit codes, one a look, and the list of its starts."""
    starts: list[str] = []
    process = SimpleNamespace(poll=lambda: next(exit_codes))
    up = SimpleNamespace(process=process, stop=lambda: None)
    gateway: Any = SimpleNamespace(up=up, start=lambda: starts.append("start"))
    return QuickContext(gateway, cast(Any, None), cast(Any, None), Random(7)), starts


def test_each_round_has_each_fault_once_and_one_that_always_fails_is_a_problem() -> None:
    def fail(field: Context) -> None:
        raise LookupError("no such process")

    seen: list[str] = []

    def note(name: str, field: Context) -> None:
        seen.append(name)

    kinds = [Fault(name, partial(note, name)) for name in ("a", "b", "c")]
    field, starts = quick_context(exit_codes=iter([None] * 100))
    faults = Faults(field, [*kinds, Fault("d", fail)], lambda: len(seen) >= 6)
    faults.run()
    assert sorted(seen[:3]) == sorted(seen[3:]) == ["a", "b", "c"]
    assert faults.injected == {"a": 2, "b": 2, "c": 2}
    assert faults.problems() == ["d could not be injected: LookupError: no such process"]
    assert starts == []


def test_a_service_that_ended_by_itself_is_started_again() -> None:
    seen: list[Context] = []
    field, starts = quick_context(exit_codes=iter([1, None, None]))
    faults = Faults(field, [Fault("a", seen.append)], lambda: len(seen) >= 3)
    faults.run()
    assert starts == ["start"]
    assert faults.restarts == {1: 1}


@pytest.mark.parametrize(
    ("store", "disk", "has"),
    [("sqlite", None, set()), ("postgres", 1000, {"store-crash", "disk-full"})],
)
def test_the_faults_are_those_that_the_store_can_have(
    store: str, disk: int | None, has: set[str]
) -> None:
    names = [fault.name for fault in soak_faults(store, disk)]
    assert len(names) == len(set(names))
    assert set(names) & {"store-crash", "disk-full"} == has


# -- the report


def test_a_process_that_grows_fails_a_long_soak_but_a_simulator_does_not() -> None:
    series = [Series(role, "pss_mb", 100, 200, 210) for role in ("router", "simulator-hive")]
    for offered, problems in (
        (2000, []),
        (200_000, ["router pss_mb is not flat: 100.0, then 200.0"]),
    ):
        result = SoakResult(counts_of(offered), tuple(series), {"kill-router": 3})
        assert result.problems == problems
    text = report("sqlite", result)
    assert "| router | pss_mb | 100.0 | 200.0 | 210.0 | NO |" in text
    assert "| simulator-hive | pss_mb | 100.0 | 200.0 | 210.0 | not judged |" in text
    assert "NOT HELD: router pss_mb is not flat" in text
    assert "faults: kill-router 3" in text


def counts_of(offered: int) -> ScenarioResult:
    return ScenarioResult(
        offered=offered,
        yes=offered,
        final=offered,
        lost=0,
        wrong=0,
        twice=0,
        marked=0,
        doubts=0,
        gap_seconds=0,
        settle_seconds=0,
    )


def test_the_disk_has_room_for_every_message() -> None:
    small, large = (
        SoakOptions(messages=count, store="sqlite", seed=1) for count in (2000, 200_000)
    )
    assert small.disk_megabytes >= 100
    assert large.disk_megabytes > 2000
    assert (small.sample_seconds, large.sample_seconds) == (2, 10)
