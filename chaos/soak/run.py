"""Runs a soak: one gateway, all its messages under faults, and the result with what every process used."""

import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from chaos.context import Context
from chaos.gateway import TargetGateway
from chaos.judge import Judge, ScenarioResult
from chaos.networks import ALL
from chaos.record import Direction
from chaos.run import AFTERMATH_SECONDS
from chaos.soak.collector import Collector, collect_deliveries, count_open_deliveries
from chaos.soak.faults import Fault, Faults, soak_faults
from chaos.soak.load import SoakLoad
from chaos.soak.record import SpooledRecord
from chaos.soak.samples import NOT_JUDGED, Sampler, Series, series_of
from chaos.soak.spool import Spool
from chaos.stores import Store, small_disk, store_in

SETTLE_SECONDS = 600.0
STALL_SECONDS = 600.0
JUDGED_MESSAGES = 20_000
"""A shorter run ends while the processes still warm up: its resources are shown, not judged."""
DISK_MEGABYTES = {"sqlite": 100, "postgres": 1500}
DISK_KILOBYTES_PER_MESSAGE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakOptions:
    """The size of a soak, its store ("sqlite", "postgres"), its seed, and the file of its spool.

    Faults whose names begin with one of `without` are left out.
    """

    messages: int
    store: str
    seed: int
    without: tuple[str, ...] = ()
    spool: Path | None = None

    @property
    def sample_seconds(self) -> float:
        """The time between two samples."""
        return min(10.0, max(2.0, self.messages / 20_000))

    @property
    def disk_megabytes(self) -> int:
        """The size of the disk of the store, which is never full by itself."""
        return DISK_MEGABYTES[self.store] + self.messages * DISK_KILOBYTES_PER_MESSAGE // 1024


@dataclass(frozen=True, slots=True)
class SoakResult:
    """The counts, the resources, and the number of faults by name."""

    counts: ScenarioResult
    series: tuple[Series, ...]
    injected: dict[str, int]

    @property
    def problems(self) -> list[str]:
        """Everything that did not hold."""
        found = list(self.counts.problems)
        if self.counts.offered >= JUDGED_MESSAGES:
            found += [
                f"{s.role} {s.measure} is not flat: {s.second:.1f}, then {s.last:.1f}"
                for s in self.series
                if not s.is_flat and s.role not in NOT_JUDGED
            ]
        return found


def run_soak(options: SoakOptions) -> SoakResult:
    """Run one soak from start to end."""
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="satbridge-soak-")))
        # The PostgreSQL server has a user of its own, who has to come by here.
        folder.chmod(0o755)
        spool = exits.enter_context(Spool(options.spool or folder / "spool"))
        gateway, store, notes = exits.enter_context(_environment(options, folder))
        record = SpooledRecord(secrets.token_hex(4), spool)
        field = Context(gateway, store, record, Random(options.seed), notes)
        return _soak(options, field, record, spool)


@contextmanager
def _environment(
    options: SoakOptions, folder: Path
) -> Iterator[tuple[TargetGateway, Store, list[str]]]:
    """Run the gateway; its store is on a small disk where such a disk can be mounted."""
    notes: list[str] = []
    with ExitStack() as exits:
        state, data = folder / "state", folder / "data"
        for path in (state, data):
            path.mkdir(mode=0o755)
        try:
            exits.enter_context(small_disk(data, options.disk_megabytes))
            data.chmod(0o755)
        except OSError as error:
            notes.append(f"without disk-full: {error}")
        store = exits.enter_context(store_in(options.store, data))
        yield exits.enter_context(TargetGateway(store.url, state)), store, notes


def _soak(options: SoakOptions, field: Context, record: SpooledRecord, spool: Spool) -> SoakResult:
    gateway = field.gateway
    with ExitStack() as exits:
        collector = exits.enter_context(Collector(gateway, record, spool))
        exits.enter_context(_sampler(options, field, record, spool))
        with SoakLoad(gateway, record, spool, options.messages) as load:
            faults = Faults(field, _wanted_faults(options, field), _ends(load, collector))
            faults.run()
            # A fault that failed may have left some behind.
            gateway.set_faults(*ALL)
        problems = [] if load.done.is_set() else [f"nothing arrived for {STALL_SECONDS:.0f} s"]
        settle_seconds = _wait_until_settled(gateway, collector, load.ended)
    record.close()
    collect_deliveries(gateway, record.run, spool)
    judge = Judge()
    spool.judge_all(judge)
    counts = judge.result(
        two_ids=spool.mails_with_two_ids(),
        gap_seconds=record.longest_gap,
        settle_seconds=settle_seconds,
    )
    receipts = spool.count_states(Direction.NOTE)
    if counts.offered >= JUDGED_MESSAGES and not receipts.get("delivered"):
        problems.append("no text to a phone has a receipt")
    notes = [*field.notes, f"{field.killed} processes killed", f"texts to phones: {receipts}"]
    notes += [f"ended by itself with code {code}: {n} times" for code, n in faults.restarts.items()]
    notes += [f"last failure to inject {name}: {error}" for name, error in faults.failed.items()]
    problems = [*problems, *faults.problems(), *counts.problems]
    counts = replace(counts, problems=tuple(problems), notes=tuple(notes))
    return SoakResult(counts, _series(spool, options.messages), dict(faults.injected))


def _wanted_faults(options: SoakOptions, field: Context) -> list[Fault]:
    size = options.disk_megabytes * 1024 if field.store.folder.is_mount() else None
    faults = soak_faults(options.store, size)
    return [fault for fault in faults if not fault.name.startswith(options.without)]


def _ends(load: SoakLoad, collector: Collector) -> Callable[[], bool]:
    def is_over() -> bool:
        is_stalled = time.monotonic() - collector.last_arrival_at > STALL_SECONDS
        return load.done.is_set() or is_stalled

    return is_over


def _wait_until_settled(gateway: TargetGateway, collector: Collector, since: float) -> float:
    deadline = since + SETTLE_SECONDS
    while time.monotonic() < deadline:
        if not collector.waiting_uplinks and not count_open_deliveries(gateway):
            break
        time.sleep(1)
    seconds = time.monotonic() - since
    # The last requests may still be on their way to the network, perhaps a second time.
    time.sleep(AFTERMATH_SECONDS)
    return seconds


def _sampler(options: SoakOptions, field: Context, record: SpooledRecord, spool: Spool) -> Sampler:
    gateway, data = field.gateway, field.store.folder

    def roots() -> list[int]:
        found = [os.getpid()]
        with suppress(OSError, ValueError, IndexError):
            found.append(int((data / "data" / "postmaster.pid").read_text().split()[0]))
        return found

    def names() -> dict[int, str]:
        return {pid: name.split("/")[0] for name, pid in gateway.workers().items()}

    return Sampler(
        seconds=options.sample_seconds,
        roots=roots,
        names=names,
        folders={"store": data, "state folder": gateway.folder},
        store=lambda role, measure, value: spool.add_sample(record.begun, role, measure, value),
    )


def _series(spool: Spool, messages: int) -> tuple[Series, ...]:
    found = (
        series_of(role, measure, spool.samples(role, measure), messages)
        for role, measure in spool.series()
    )
    return tuple(series for series in found if series is not None)
