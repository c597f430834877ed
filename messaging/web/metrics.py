"""What the gateway tells Prometheus: the names, what they mean, and where each figure comes from. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final, Protocol

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Row = Mapping[str, Any]
Sample = tuple[tuple[str, ...], float]


class Queue(Protocol):
    """What waits for one provider."""

    @property
    def via(self) -> str:
        """The provider."""

    @property
    def waiting(self) -> int:
        """How many deliveries wait."""

    @property
    def oldest_waiting_seconds(self) -> float:
        """For how long the oldest has been waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that the figures are made of.

    `workers` is what every instance says about itself, `queues` None when the store is away. `webhooks` counts the
    answers of this `replica` of the web server by account and status code.
    """

    now: datetime
    vias: Sequence[str]
    workers: Sequence[Row]
    queues: Sequence[Queue] | None
    webhooks: Counter[tuple[str, int]]
    replica: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One name of the metrics: what it means, and how its samples are read from a snapshot."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    samples: Callable[[Snapshot], Iterable[Sample]]

    def metric(self, snapshot: Snapshot) -> Metric:
        """A name in `_total` is a counter, which only grows until its process ends."""
        counted = self.name.endswith("_total")
        family = CounterMetricFamily if counted else GaugeMetricFamily
        metric: Any = family(self.name, self.meaning, labels=self.labels)
        for labels, value in self.samples(snapshot):
            metric.add_metric(labels, value)
        found: Metric = metric
        return found


def exposition(snapshot: Snapshot) -> bytes:
    """Return the text of `/metrics` (text format 0.0.4). It names accounts, workers and counts, nothing else."""
    registry = CollectorRegistry()
    registry.register(_Collected(snapshot))
    return generate_latest(registry)


class _Collected(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def describe(self) -> Iterable[Metric]:
        """The names, without asking for the figures."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All figures."""
        return (figure.metric(self._snapshot) for figure in FIGURES)


def _build(_: Snapshot) -> Iterator[Sample]:
    yield (version("satbridge"),), 1


def _store_up(snapshot: Snapshot) -> Iterator[Sample]:
    yield (), float(snapshot.queues is not None)


def _waiting(snapshot: Snapshot) -> Iterator[Sample]:
    return _by_via(snapshot, lambda queue: queue.waiting)


def _oldest(snapshot: Snapshot) -> Iterator[Sample]:
    return _by_via(snapshot, lambda queue: queue.oldest_waiting_seconds)


def _by_via(snapshot: Snapshot, read: Callable[[Queue], float]) -> Iterator[Sample]:
    """Nothing while the store is away: nobody knows, and zero would say that nothing waits."""
    if snapshot.queues is None:
        return
    found = {queue.via: read(queue) for queue in snapshot.queues}
    for via in sorted({*found, *snapshot.vias}):
        yield (via,), found.get(via, 0)


def _deliveries(snapshot: Snapshot) -> Iterator[Sample]:
    for row in _with(snapshot, "settled"):
        for via, states in row["settled"].items():
            for state, number in states.items():
                yield (via, state, row["name"]), number


def _up(snapshot: Snapshot) -> Iterator[Sample]:
    return (((row["name"],), float(not row.get("lost"))) for row in snapshot.workers)


def _draining(snapshot: Snapshot) -> Iterator[Sample]:
    return (((r["name"],), float(r["draining"])) for r in _with(snapshot, "draining"))


def _mails(snapshot: Snapshot) -> Iterator[Sample]:
    for row in _with(snapshot, "turned_away"):
        for result in ("accepted", "refused", "put_off"):
            yield (result, row["name"]), row[result]


def _connections(snapshot: Snapshot) -> Iterator[Sample]:
    return (((row["name"],), row["connections"]) for row in _with(snapshot, "connections"))


def _turned_away(snapshot: Snapshot) -> Iterator[Sample]:
    return (((row["name"],), row["turned_away"]) for row in _with(snapshot, "turned_away"))


def _certificate(snapshot: Snapshot) -> Iterator[Sample]:
    for row in _with(snapshot, "certificate_expires"):
        yield (row["name"],), _seconds(snapshot.now, row["certificate_expires"])


def _silent(snapshot: Snapshot) -> Iterator[Sample]:
    """One that stands by for another service asks nothing, and is not missed."""
    for row in _with(snapshot, "via"):
        if "last_poll" in row and not row["standing_by"]:
            asked = row["last_poll"]
            silent = -_seconds(snapshot.now, asked) if asked else row["up_seconds"]
            yield (row["via"],), max(silent, 0.0)


def _stuck(snapshot: Snapshot) -> Iterator[Sample]:
    return (((row["via"],), row["stuck"]) for row in _with(snapshot, "stuck"))


def _webhooks(snapshot: Snapshot) -> Iterator[Sample]:
    for (account, code), number in sorted(snapshot.webhooks.items()):
        yield (account, str(code), snapshot.replica), number


def _with(snapshot: Snapshot, key: str) -> Iterator[Row]:
    return (row for row in snapshot.workers if row.get(key) is not None)


def _seconds(now: datetime, moment: str) -> float:
    """From now until then."""
    return (datetime.fromisoformat(moment) - now).total_seconds()


FIGURES: Final = (
    Figure("satbridge_build_info", "The version that runs.", ("version",), _build),
    Figure("satbridge_store_up", "Whether the store answered.", (), _store_up),
    Figure("satbridge_waiting_deliveries", "Deliveries that wait.", ("via",), _waiting),
    Figure(
        "satbridge_oldest_waiting_seconds",
        "For how long the oldest delivery has been waiting; 0 when none waits.",
        ("via",),
        _oldest,
    ),
    Figure(
        "satbridge_deliveries_total",
        "Deliveries that came to a state; waiting: an attempt failed and another follows.",
        ("via", "state", "worker"),
        _deliveries,
    ),
    Figure("satbridge_worker_up", "Whether the worker answers.", ("worker",), _up),
    Figure("satbridge_draining", "Whether the worker drains.", ("worker",), _draining),
    Figure(
        "satbridge_mails_total",
        "Mails by the answer to them: accepted, refused (5xx), put_off (4xx).",
        ("result", "worker"),
        _mails,
    ),
    Figure("satbridge_mail_connections", "Open SMTP connections.", ("worker",), _connections),
    Figure(
        "satbridge_mail_connections_turned_away_total",
        "SMTP connections beyond a limit.",
        ("worker",),
        _turned_away,
    ),
    Figure(
        "satbridge_certificate_seconds_left",
        "Until the certificate for STARTTLS ends.",
        ("worker",),
        _certificate,
    ),
    Figure(
        "satbridge_poller_silent_seconds",
        "Since a network was last asked with success, or since the start if never.",
        ("network",),
        _silent,
    ),
    Figure(
        "satbridge_poller_stuck_packets",
        "Packets that a network lists and that could not be taken.",
        ("network",),
        _stuck,
    ),
    Figure(
        "satbridge_webhooks_total",
        "Answers to webhooks: 2xx taken, 401 and 403 not authentic, 413 too large, 503 put off.",
        ("account", "code", "replica"),
        _webhooks,
    ),
)
"""THE list; docs/metrics.md has the same."""
