"""State that an older version stored, under other names of our classes, is read and goes on."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from messaging.streaming import InlineJob, StreamingContext
from messaging.streaming.connectors.kafka import KafkaRecord
from messaging.streaming.stateful.guard import FailedRecord
from messaging.streaming.stateful.state.pickling import loads
from messaging.streaming.stateful.state.store_protocol import MemoryStore
from messaging.streaming.windows.window_steps import Window
from tests.support.paths import ROOT

# Written when window_steps, kafka and guard were modules of messaging.streaming itself.
WINDOW = (
    "8005954e000000000000008c206d6573736167696e672e73747265616d696e672e77696e646f775f7374657073948c"
    "0657696e646f77949394288c03636f649447000000000000000047404e0000000000004b08749481942e"
)
KAFKA_RECORD = (
    "8005953f000000000000008c196d6573736167696e672e73747265616d696e672e6b61666b61948c0b4b61666b6152"
    "65636f72649493942843016b94430176944b014b074e749481942e"
)
SET_ASIDE = (
    "8005955b000000000000008c196d6573736167696e672e73747265616d696e672e6775617264948c08536574417369"
    "64659493942981945d94288c056d61702d31948c1356616c75654572726f723a20756e6c75636b79944b0d473ff800"
    "000000000065622e"
)
STORES = ROOT / "tests" / "support" / "streaming" / "older_state.json"


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (WINDOW, Window("cod", 0.0, 60.0, 8)),
        (KAFKA_RECORD, KafkaRecord(b"k", b"v", 1, 7, None)),
        (SET_ASIDE, FailedRecord("map-1", "ValueError: unlucky", 13, 1.5)),
    ],
)
def test_a_class_is_found_under_its_older_name(data: str, value: object) -> None:
    assert loads(bytes.fromhex(data)) == value


def test_a_class_that_never_was_ours_is_still_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        loads(b"cno_such_module\nThing\n.")


def older_store(worker: str) -> MemoryStore:
    store = MemoryStore()
    for kind, name, value in json.loads(STORES.read_text())[worker]:
        store.values[kind, base64.b64decode(name)] = base64.b64decode(value)
    return store


async def _go_on(seen: Callable[[Window], Any]) -> tuple[dict[Any, Any], list[FailedRecord]]:
    context = StreamingContext()
    records = context.inlet("in").key_by("key")
    windows = records.window(
        60, time=lambda record: record.timestamp_ms / 1000, lateness_seconds=5
    ).collect(name="windows")
    windows.key_by("key").reduce(lambda old, new: new, name="last").sink(seen)
    async with InlineJob(context.graph(), make_store=older_store) as job:
        await job.inlet("in").emit(KafkaRecord(b"cod", b"v3", 0, 3, 130_000))
        await job.drain()
        return await job.state("last"), await job.dead_letters()


def test_a_job_goes_on_from_the_stores_of_an_older_version() -> None:
    seen: list[Window] = []
    last, failed = asyncio.run(_go_on(seen.append))
    (window,) = seen
    assert last == {b"cod": window}
    assert (window.start, window.end) == (60.0, 120.0)
    assert [record.value for record in window.value] == [b"v1", b"v2"], "both were in the store"
    (older,) = failed
    assert older.error == "ValueError: unlucky"
    assert older.record.value[0].value == b"v0"
