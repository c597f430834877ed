"""What a running job tells Ray's metrics endpoint, read as Prometheus would read it."""

import time
import urllib.request
from typing import Any

import pytest
import ray
from prometheus_client.parser import text_string_to_metric_families

from messaging.streaming import StreamingContext
from messaging.streaming.stateful.job import Job

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_cluster")]

EVERY = 100


class Poisoned:
    """A source without an end; every hundredth record is poison."""

    def read(self, position: int | None, count: int) -> tuple[list[int], int]:
        time.sleep(0.01)
        number = (position or 0) + 1
        return [number], number


def scraped(job: str) -> dict[tuple[str, str], float]:
    """The values of our metrics, by the metric and the worker."""
    nodes: Any = ray.nodes
    (node,) = nodes()
    url = f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    samples = [s for f in text_string_to_metric_families(text) for s in f.samples]
    return {(s.name, s.labels["worker"]): s.value for s in samples if s.labels.get("job") == job}


def counted(job: Job) -> dict[tuple[str, str], float]:
    counts = {"in": "records_in", "out": "records_out", "set_aside": "records_set_aside"}
    return {
        (f"ray_streaming_{metric}_total", row["name"]): row[key]
        for row in job.status()
        for key, metric in counts.items()
        if row[key]
    }


def poison(number: int) -> Any:
    return number, 1 / (number % EVERY)


def test_a_running_job_is_on_the_metrics_endpoint_with_the_figures_of_its_status() -> None:
    context = StreamingContext()
    numbers = context.read_from(Poisoned, name="numbers").map(poison)
    numbers.key_by(lambda pair: pair[0] % 7).reduce(max, name="most")
    job = context.submit("metered")
    try:
        before: dict[tuple[str, str], float] = {}
        deadline = time.monotonic() + 60
        while not any(name.endswith("set_aside_total") for name, _ in before):
            assert time.monotonic() < deadline, before
            time.sleep(1)
            before = scraped("metered")
        after = counted(job)
        assert {worker for _, worker in before} == {"numbers/0", "most/0"}
        assert before["ray_streaming_waiting_batches", "most/0"] == 0
        for metric, worker in after:
            assert 0 < before[metric, worker] <= after[metric, worker]
        assert before["ray_streaming_records_in_total", "most/0"] > EVERY / 2
        (rate,) = {r["in_per_second"] for r in job.status() if r["name"] == "most/0"}
        assert 5 < rate < 100
    finally:
        job.stop()
