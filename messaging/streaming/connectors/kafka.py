"""Kafka as a source that resumes from its committed position, and as a sink that commits confirmed records.

Needs `confluent-kafka` (the extra `kafka`). Settings are librdkafka's: `bootstrap.servers` and so on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from messaging.streaming.api.errors import StreamingError
from messaging.streaming.api.stage import Instance, Stage, StageKind
from messaging.streaming.stateful.state.values import KeyedState

if TYPE_CHECKING:
    from messaging.streaming.stream import DataStream

log = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
READ_SECONDS = 0.1
WRITE_SECONDS = 30.0

Position = dict[int, int]
"""The next offset to read, by partition."""

KeyAndValue = tuple[bytes | str | None, bytes | str | None]


class KafkaAway(StreamingError):
    """No broker, or none that answers. Nothing is lost: uncommitted records are read or written again."""


class NotWritten(Exception):
    """The brokers refuse this one record, and would refuse it again."""


class KafkaRecord(NamedTuple):
    """One record of a topic. The time is in milliseconds since 1970, None where there is none."""

    key: bytes | None
    value: bytes | None
    partition: int
    offset: int
    timestamp_ms: int | None


class KafkaSource:
    """Reads a topic; see `steps.PositionedSource`. Instance i of n reads every n-th partition, from number i.

    The job commits the position with its state and resumes from it. Without one it begins at the offsets of
    `group.id`, or at the beginning. The group's offsets are set after the job has committed, so that tools that
    watch a group's lag see it; nothing else depends on them. Partitions are those that the topic has at the start.
    """

    idle_seconds = 0.0

    def __init__(self, topic: str, settings: Mapping[str, Any]) -> None:
        self._topic = topic
        self._settings = {
            "auto.offset.reset": "earliest",
            **settings,
            "enable.auto.commit": False,
        }
        self._instance = Instance()
        self._consumer: Any = None
        self._at: Position = {}
        self._reported: Position = {}

    def open(self, instance: Instance) -> None:
        """Begin as this instance. An earlier connection is closed."""
        self.close()
        self._instance = instance

    def read(self, position: Position | None, count: int) -> tuple[Sequence[KafkaRecord], Position]:
        """See PositionedSource. Raises KafkaAway."""
        if self._consumer is None or position != self._at:
            self._begin(position)
        if self._at != self._reported:
            # A position that is asked for has been committed by the job.
            offsets = [_client().TopicPartition(self._topic, n, at) for n, at in self._at.items()]
            self._consumer.commit(offsets=offsets, asynchronous=True)
            self._reported = dict(self._at)
        messages = self._consumer.consume(count, READ_SECONDS)
        records = []
        for message in messages:
            if message.error():
                raise KafkaAway(message.error().name())
            kind, timestamp_ms = message.timestamp()
            known_ms = timestamp_ms if kind else None
            place = (message.partition(), message.offset())
            records.append(KafkaRecord(message.key(), message.value(), *place, known_ms))
        after = {message.partition(): message.offset() + 1 for message in messages}
        self._at = {**self._at, **after}
        return records, dict(self._at)

    def close(self) -> None:
        """Leave the group, after its last offsets."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _begin(self, position: Position | None) -> None:
        self.close()
        kafka = _client()
        try:
            self._consumer = kafka.Consumer({"group.id": "streaming", **self._settings}, logger=log)
            mine = self._own_partitions()
            at = position
            if at is None:
                group = [kafka.TopicPartition(self._topic, number) for number in mine]
                offsets = self._consumer.committed(group, timeout=ANSWER_SECONDS)
                at = {one.partition: one.offset for one in offsets if one.offset >= 0}
        except kafka.KafkaException as error:
            raise KafkaAway(error.args[0].name()) from None
        places = [(n, at[n]) if n in at else (n,) for n in mine]
        self._consumer.assign([kafka.TopicPartition(self._topic, *place) for place in places])
        self._at, self._reported = dict(at), dict(at)

    def _own_partitions(self) -> list[int]:
        topics = self._consumer.list_topics(self._topic, timeout=ANSWER_SECONDS).topics
        numbers = sorted(topics[self._topic].partitions)
        if not numbers:
            raise KafkaAway(f"there is no topic {self._topic}")
        return numbers[self._instance.index :: self._instance.parallelism]


class KafkaWriter:
    """A step that ends a stream: a batch is committed when the brokers have confirmed all of it.

    At least once, in order for each key. A record that they refuse is set aside; while they are away it is repeated.
    """

    def __init__(
        self, topic: str, settings: Mapping[str, Any], message: Callable[[Any], KeyAndValue]
    ) -> None:
        self._topic = topic
        self._settings = {"enable.idempotence": True, **settings}
        self._message = message
        self._producer: Any = None

    def open(self, instance: Instance, state: KeyedState) -> None:
        """See Step."""
        self._producer = _client().Producer(self._settings, logger=log)

    def process(self, record: Any) -> Iterable[Any]:
        """See Step. Raises NotWritten, KafkaAway."""
        (result,) = self.process_all([record])
        if isinstance(result, Exception):
            raise result
        return result

    def process_all(self, records: Sequence[Any]) -> Sequence[Sequence[Any] | Exception]:
        """See Step. Raises KafkaAway."""
        results: dict[int, Sequence[Any] | Exception] = {}
        for number, record in enumerate(records):
            try:
                self._produce(record, partial(_note_result, results, number))
            except (TypeError, ValueError, LookupError, AttributeError) as error:
                results[number] = error
        if self._producer.flush(WRITE_SECONDS):
            raise KafkaAway("not confirmed in time")
        if any(isinstance(result, KafkaAway) for result in results.values()):
            raise KafkaAway("not confirmed")
        return [results[number] for number in range(len(records))]

    def close(self) -> None:
        """Do nothing: every batch was flushed."""

    def _produce(self, record: Any, note_result: Callable[[Any, Any], None]) -> None:
        key, value = self._message(record)
        for _ in range(2):
            try:
                self._producer.produce(self._topic, value, key, on_delivery=note_result)
                return
            except BufferError:  # librdkafka's own queue is full
                self._producer.flush(WRITE_SECONDS)
            except _client().KafkaException as error:
                note_result(error.args[0], None)
                return
        raise KafkaAway("the queue stays full")


def write_to_kafka(
    stream: DataStream[Any],
    topic: str,
    settings: Mapping[str, Any],
    message: Callable[[Any], KeyAndValue],
    name: str = "",
) -> DataStream[Any]:
    """End a stream in a topic: `message(record)` is the key and the value that are written."""
    make = partial(KafkaWriter, topic, dict(settings), message)
    stage = Stage(
        name=name or stream.context.fresh_name("kafka"), kind=StageKind.STATEFUL, make=make
    )
    return stream.into(stage)


def _client() -> Any:
    import confluent_kafka  # an optional dependency

    client: Any = confluent_kafka
    return client


def _note_result(
    results: dict[int, Sequence[Any] | Exception], number: int, error: Any, message: Any
) -> None:
    if error is None:
        results[number] = ()
    elif error.name() in ("MSG_SIZE_TOO_LARGE", "INVALID_RECORD"):
        results[number] = NotWritten(error.name())
    else:
        results[number] = KafkaAway(error.name())
