"""Kafka as source and sink, against the cluster that librdkafka brings along for tests: real sockets, real protocol."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from messaging.streaming import InlineJob, StreamingContext
from messaging.streaming.connectors.kafka import KafkaAway, KafkaRecord, KafkaSource, write_to_kafka

confluent_kafka: Any = pytest.importorskip("confluent_kafka")
RECORDS, ROOMS, PARTITIONS = 2_000, 10, 4


@pytest.fixture
def brokers() -> Iterator[str]:
    """A cluster of one broker in this process, with the topics `in` and `out`, that ends with its producer."""
    quiet = {"log_level": 0, "bootstrap.servers": "ignored"}
    cluster = confluent_kafka.Producer({"test.mock.num.brokers": 1, **quiet})
    found = cluster.list_topics(timeout=10).brokers.values()
    servers = ",".join(f"{one.host}:{one.port}" for one in found)
    for topic in ("in", "out"):  # asking for a topic makes it, with four partitions
        assert len(cluster.list_topics(topic, timeout=10).topics[topic].partitions) == PARTITIONS
    yield servers
    cluster.flush(0)


def settings(brokers: str) -> dict[str, Any]:
    return {"bootstrap.servers": brokers, "group.id": "test", "log_level": 0}


def produce(brokers: str, numbers: range) -> None:
    producer = confluent_kafka.Producer({"bootstrap.servers": brokers, "log_level": 0})
    for number in numbers:
        producer.produce("in", value=str(number), key=f"room {number % ROOMS}")
    assert producer.flush(20) == 0


def read_all(brokers: str, topic: str, least: int, seconds: float = 60) -> list[Any]:
    """At least so many records of a topic, as an independent consumer sees them."""
    consumer = confluent_kafka.Consumer(
        {**settings(brokers), "group.id": "reader", "auto.offset.reset": "earliest"}
    )
    consumer.assign([confluent_kafka.TopicPartition(topic, n, 0) for n in range(PARTITIONS)])
    found: list[Any] = []
    deadline = time.monotonic() + seconds
    while len(found) < least and time.monotonic() < deadline:
        found += [m for m in consumer.consume(500, 0.2) if not m.error()]
    consumer.close()
    return found


def total(old: tuple[bytes, int, int], new: tuple[bytes, int, int]) -> tuple[bytes, int, int]:
    return new[0], old[1] + new[1], old[2] + new[2]


def counted(record: KafkaRecord) -> tuple[bytes, int, int]:
    return record.key or b"", 1, int(record.value or 0)


def as_message(totals: tuple[bytes, int, int]) -> tuple[bytes, str]:
    return totals[0], f"{totals[1]} {totals[2]}"


def rooms(brokers: str, state: str) -> StreamingContext:
    """Count and add up, for each room, what stands in `in`; every step of that goes to `out`."""
    context = StreamingContext.Builder().option("state", state).build()
    make = partial(KafkaSource, "in", settings(brokers))
    records = context.read_from(make, name="in", parallelism=2).map(counted)
    totals = records.key_by(0).reduce(total, name="totals").set_parallelism(2)
    write_to_kafka(totals.key_by(0), "out", {"bootstrap.servers": brokers}, as_message, name="out")
    return context


def expected(records: int) -> dict[bytes, list[str]]:
    """What `out` has to hold for each room, in this order."""
    found: dict[bytes, list[str]] = {}
    for room in range(ROOMS):
        numbers = range(room, records, ROOMS)
        sums = [f"{n} {sum(numbers[:n])}" for n in range(1, len(numbers) + 1)]
        found[f"room {room}".encode()] = sums
    return found


def by_room(messages: list[Any]) -> dict[bytes, list[str]]:
    """The values of each key in order, without repetitions."""
    found: dict[bytes, dict[str, None]] = {}
    for message in messages:
        found.setdefault(message.key(), {})[message.value().decode()] = None
    return {key: list(values) for key, values in found.items()}


@pytest.mark.anyio
async def test_a_topic_is_read_by_several_and_written_in_order_for_each_key(brokers: str) -> None:
    produce(brokers, range(200))
    async with InlineJob(rooms(brokers, "memory:").graph()):
        messages = await asyncio.to_thread(read_all, brokers, "out", 200)
    assert by_room(messages) == expected(200)
    assert len(messages) == 200


@pytest.mark.anyio
async def test_the_groups_offsets_are_set_after_the_job_has_committed(brokers: str) -> None:
    produce(brokers, range(200))
    consumer = confluent_kafka.Consumer(settings(brokers))
    all_of_them = [confluent_kafka.TopicPartition("in", n) for n in range(PARTITIONS)]

    def committed() -> int:
        found = consumer.committed(all_of_them, timeout=10)
        return sum(max(one.offset, 0) for one in found)

    async with InlineJob(rooms(brokers, "memory:").graph()), asyncio.timeout(30):
        while await asyncio.to_thread(committed) < 200:  # noqa: ASYNC110 - Kafka has no event for it
            await asyncio.sleep(0.1)
    assert committed() == 200
    consumer.close()


def test_without_a_position_it_begins_where_the_group_stands(brokers: str) -> None:
    produce(brokers, range(100))
    first = KafkaSource("in", settings(brokers))
    records, position = read_until(first, None, 100)
    assert Counter(int(record.value or -1) for record in records) == Counter(range(100))
    first.read(position, 1)
    first.close()
    produce(brokers, range(100, 120))
    again, _ = read_until(KafkaSource("in", settings(brokers)), None, 20)
    assert {int(record.value or -1) for record in again} == set(range(100, 120))


def test_an_older_position_is_read_again(brokers: str) -> None:
    produce(brokers, range(50))
    source = KafkaSource("in", settings(brokers))
    _, position = read_until(source, None, 50)
    assert sum(position.values()) == 50
    records, _ = read_until(source, dict.fromkeys(position, 0), 50)
    assert len(records) == 50
    source.close()


def test_a_cluster_that_is_away_is_said_to_be_away() -> None:
    nowhere = {**settings("127.0.0.1:9"), "socket.connection.setup.timeout.ms": 1000}
    with pytest.raises(KafkaAway):
        KafkaSource("in", nowhere).read(None, 1)


def read_until(source: KafkaSource, position: Any, least: int) -> tuple[list[KafkaRecord], Any]:
    found: list[KafkaRecord] = []
    deadline = time.monotonic() + 30
    while len(found) < least and time.monotonic() < deadline:
        records, position = source.read(position, 1000)
        found += records
    return found, position


@pytest.mark.ray
@pytest.mark.usefixtures("ray_cluster")
def test_killed_readers_and_writers_lose_nothing_and_state_counts_once(
    brokers: str, tmp_path: Path
) -> None:
    job = rooms(brokers, f"sqlite:///{tmp_path}/state").submit("rooms")
    try:
        for part, victim in enumerate(("in/0", "out/0", "totals/1", "")):
            quarter = RECORDS // 4
            produce(brokers, range(part * quarter, (part + 1) * quarter))
            if victim:
                pids = {row["name"]: row.get("pid") for row in job.status()}
                os.kill(int(pids[victim] or 0), signal.SIGKILL)
        deadline = time.monotonic() + 90
        while (found := by_room(read_all(brokers, "out", RECORDS, 30))) != expected(RECORDS):
            assert time.monotonic() < deadline, {key: len(found[key]) for key in found}
        assert job.dead_letters() == []
    finally:
        job.stop()
