"""The metrics for Prometheus: names, meanings, and the source of each figure. Pure."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final, Protocol

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from messaging.model.message import Result

Row = Mapping[str, Any]
Sample = tuple[tuple[str, ...], float]


class WaitingQueue(Protocol):
    """The deliveries of one account that wait."""

    @property
    def via(self) -> str:
        """The account."""

    @property
    def waiting(self) -> int:
        """The number of deliveries that wait."""

    @property
    def oldest_waiting_seconds(self) -> float:
        """The age of the oldest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The input of all figures at one moment.

    `workers` are the statuses of all instances. `queues`, and `sendable`, the accounts with a delivery that could go,
    are None while the store is away. `webhooks` counts the answers of this `replica` of the web server by account and
    status code. `held` is the number of held deliveries, and the age in seconds of the oldest;
    `budgets` the number of budgets that have reached each share of their limits in percent.
    """

    now: datetime
    vias: Sequence[str]
    workers: Sequence[Row]
    queues: Sequence[WaitingQueue] | None
    sendable: Collection[str] | None
    webhooks: Counter[tuple[str, int]]
    replica: str
    held: tuple[int, float] | None = None
    budgets: Mapping[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric: its name, its meaning, and a function that reads its samples from a snapshot."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    samples: Callable[[Snapshot], Iterable[Sample]]

    def metric(self, snapshot: Snapshot) -> Metric:
        """Return the samples. A name that ends in `_total` is a counter, which only grows until its process ends."""
        is_counter = self.name.endswith("_total")
        family = CounterMetricFamily if is_counter else GaugeMetricFamily
        metric: Any = family(self.name, self.meaning, labels=self.labels)
        for labels, value in self.samples(snapshot):
            metric.add_metric(labels, value)
        result: Metric = metric
        return result


def exposition(snapshot: Snapshot) -> bytes:
    """Return the text of `/metrics` (text format 0.0.4). It contains accounts, workers and counts, nothing else."""
    registry = CollectorRegistry()
    registry.register(_SnapshotCollector(snapshot))
    return generate_latest(registry)


class _SnapshotCollector(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def describe(self) -> Iterable[Metric]:
        """Return no names: the client would check them against those of other collectors, and there are none."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Return all figures."""
        return (figure.metric(self._snapshot) for figure in FIGURES)


def _rows_with(snapshot: Snapshot, key: str) -> Iterator[Row]:
    return (row for row in snapshot.workers if row.get(key) is not None)


def _by_worker(key: str) -> Callable[[Snapshot], Iterator[Sample]]:
    """Return a function that reads one value of each worker's status."""

    def samples(snapshot: Snapshot) -> Iterator[Sample]:
        return (((row["name"],), float(row[key])) for row in _rows_with(snapshot, key))

    return samples


def _by_queue(read: Callable[[WaitingQueue], float]) -> Callable[[Snapshot], Iterator[Sample]]:
    """Return a function that reads one value of each account's queue."""

    def samples(snapshot: Snapshot) -> Iterator[Sample]:
        if snapshot.queues is None:
            return  # zero would say that nothing waits
        found = {queue.via: read(queue) for queue in snapshot.queues}
        for via in sorted({*found, *snapshot.vias}):
            yield (via,), found.get(via, 0)

    return samples


def _sendable(snapshot: Snapshot) -> Iterator[Sample]:
    if snapshot.sendable is not None:
        for via in sorted({*snapshot.sendable, *snapshot.vias}):
            yield (via,), float(via in snapshot.sendable)


def _blocked(snapshot: Snapshot) -> Iterator[Sample]:
    ledgers = list(_rows_with(snapshot, "blocked"))
    blocked = {via for row in ledgers for via in row["blocked"]}
    if ledgers:
        for via in sorted({*blocked, *snapshot.vias}):
            yield (via,), float(via in blocked)


def _attempts(snapshot: Snapshot) -> Iterator[Sample]:
    keys = {event: event for event in ("begun", "not_begun", "without_begin")}
    keys |= {str(result): f"outcomes_{result}" for result in Result if result != Result.NOT_BEGUN}
    for row in _rows_with(snapshot, "begun"):
        for event, key in keys.items():
            yield (event, row["name"]), float(row.get(key, 0))


def _silence(snapshot: Snapshot) -> Iterator[Sample]:
    for row in _rows_with(snapshot, "via"):
        # A poller that stands by for another service asks nothing.
        if "last_poll" in row and not row["standing_by"]:
            asked = row["last_poll"]
            silent = -_seconds_until(asked, snapshot.now) if asked else row["up_seconds"]
            yield (row["via"],), max(silent, 0.0)


def _seconds_until(moment: str, now: datetime) -> float:
    return (datetime.fromisoformat(moment) - now).total_seconds()


FIGURES: Final = (
    Figure(
        "satbridge_build_info",
        "The version that runs.",
        ("version",),
        lambda _: [((version("satbridge"),), 1)],
    ),
    Figure(
        "satbridge_store_up",
        "Whether the store answered.",
        (),
        lambda s: [((), float(s.queues is not None))],
    ),
    Figure(
        "satbridge_waiting_deliveries",
        "Deliveries that wait.",
        ("via",),
        _by_queue(lambda q: q.waiting),
    ),
    Figure(
        "satbridge_held_deliveries",
        "Deliveries that are held: they wait for the decision of a person.",
        (),
        lambda s: [((), s.held[0])] if s.held else [],
    ),
    Figure(
        "satbridge_oldest_held_seconds",
        "Age of the oldest delivery that is held.",
        (),
        lambda s: [((), s.held[1])] if s.held else [],
    ),
    Figure(
        "satbridge_budgets_reached",
        "Budgets of which at least that many percent are reserved or spent in the current period.",
        ("percent",),
        lambda s: (((str(percent),), number) for percent, number in (s.budgets or {}).items()),
    ),
    Figure(
        "satbridge_oldest_waiting_seconds",
        "Age of the oldest delivery that waits; 0 when none waits.",
        ("via",),
        _by_queue(lambda q: q.oldest_waiting_seconds),
    ),
    Figure(
        "satbridge_sendable",
        "Whether a delivery could go now: due, handed to a sender, or in an attempt.",
        ("via",),
        _sendable,
    ),
    Figure(
        "satbridge_deliveries_total",
        "Deliveries that came to a state; waiting: an attempt failed and another follows.",
        ("via", "state", "worker"),
        lambda s: (
            ((via, state, row["name"]), number)
            for row in _rows_with(s, "settled")
            for via, states in row["settled"].items()
            for state, number in states.items()
        ),
    ),
    Figure(
        "satbridge_account_blocked",
        "Whether the account can send nothing until an operator acts: log-in, credit, policy.",
        ("via",),
        _blocked,
    ),
    Figure(
        "satbridge_blocked_attempts_total",
        "Attempts that a provider refused because of the account.",
        ("via", "worker"),
        lambda s: (
            ((via, row["name"]), number)
            for row in _rows_with(s, "blocked_attempts")
            for via, number in row["blocked_attempts"].items()
        ),
    ),
    Figure(
        "satbridge_attempts_total",
        "Attempts by event: begun, not_begun, their results, and without_begin.",
        ("event", "worker"),
        _attempts,
    ),
    Figure(
        "satbridge_billed_units_total",
        "Units (credits, segments) that networks reported when they took messages.",
        ("via", "worker"),
        lambda s: (
            ((via, row["name"]), number)
            for row in _rows_with(s, "billed_units")
            for via, number in row["billed_units"].items()
        ),
    ),
    Figure(
        "satbridge_emergencies_total",
        "Emergencies that devices declared, confirmed or cancelled.",
        ("worker",),
        _by_worker("emergencies"),
    ),
    Figure(
        "satbridge_emergencies_unreached_total",
        "Recipients that emergencies did not reach within an hour, or whose delivery failed.",
        ("worker",),
        _by_worker("unreached"),
    ),
    Figure(
        "satbridge_worker_up",
        "Whether the worker answers.",
        ("worker",),
        lambda s: (((row["name"],), float(not row.get("lost"))) for row in s.workers),
    ),
    Figure("satbridge_draining", "Whether the worker drains.", ("worker",), _by_worker("draining")),
    Figure(
        "satbridge_mails_total",
        "Mails by the answer to them: accepted, refused (5xx), put_off (4xx).",
        ("result", "worker"),
        lambda s: (
            ((result, row["name"]), row[result])
            for row in _rows_with(s, "turned_away")
            for result in ("accepted", "refused", "put_off")
        ),
    ),
    Figure(
        "satbridge_mail_connections",
        "Open SMTP connections.",
        ("worker",),
        _by_worker("connections"),
    ),
    Figure(
        "satbridge_mail_connections_turned_away_total",
        "SMTP connections beyond a limit.",
        ("worker",),
        _by_worker("turned_away"),
    ),
    Figure(
        "satbridge_certificate_seconds_left",
        "Until the certificate for STARTTLS ends.",
        ("worker",),
        lambda s: (
            ((row["name"],), _seconds_until(row["certificate_expires"], s.now))
            for row in _rows_with(s, "certificate_expires")
        ),
    ),
    Figure(
        "satbridge_poller_silent_seconds",
        "Since a network was last asked with success, or since the start if never.",
        ("network",),
        _silence,
    ),
    Figure(
        "satbridge_poller_stuck_packets",
        "Packets that a network lists and that could not be taken.",
        ("network",),
        lambda s: (((row["via"],), row["stuck"]) for row in _rows_with(s, "stuck")),
    ),
    Figure(
        "satbridge_webhooks_total",
        "Answers to webhooks: 2xx taken, 401 and 403 not authentic, 413 too large, 503 put off.",
        ("account", "code", "replica"),
        lambda s: (
            ((account, str(code), s.replica), number)
            for (account, code), number in sorted(s.webhooks.items())
        ),
    ),
)
"""THE list; docs/metrics.md has the same."""
