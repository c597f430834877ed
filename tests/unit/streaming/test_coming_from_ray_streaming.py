"""The document tells those who come from Ray Streaming where everything is; what it names is there."""

import re

import pytest

from messaging.streaming import DataStream, Instance, StreamingContext
from messaging.streaming.java.java_stream import JavaStream
from messaging.streaming.stateful.job import Job
from tests.support.paths import ROOT

DOCUMENT = ROOT / "docs" / "dataflow.md"
JAVA = ROOT / "messaging" / "streaming" / "java" / "io" / "ray" / "streaming" / "api"
HERE: dict[str, type] = {
    "ctx": StreamingContext,
    "stream": DataStream,
    "java": JavaStream,
    "job": Job,
    "context": Instance,
}

# Everything that the README, the older Environment and mobius let their users call or set.
ANCESTORS = """
    StreamingContext.Builder build option withConfig Environment set_parallelism from_values from_collection
    fromCollection read_text_file source get_next SourceFunction init fetch fromSource submit execute wait_finish
    stop print_logical_graph print_physical_graph printJobGraph logical_topo physical_topo generateDigraph
    map flat_map filter key_by reduce sum state_keeper inspect union sink join where equal_to with window_join
    time_window aggregate process broadcast shuffle round_robin rescale partition partition_by forward
    disable_chain withChainStrategy get_parallelism with_config get_config get_id get_input_stream
    get_streaming_context get_language as_java_stream as_python_stream withResource setDynamicDivisionNum
    isReadyRescaling forwardCommand open close save_checkpoint load_checkpoint MapFunction FlatMapFunction
    FilterFunction KeyFunction ReduceFunction SinkFunction EmptyFunction get_task_id get_task_index get_job_config
    StreamOperator ChainedOperator Record KeyRecord deleteCheckpoint ValueState MapState ListState
    channel_type channel_size read_timeout_ms timer_interval_ms ring_buffer_capacity empty_message_interval
    flow_control_type consumed_step context-backend.type file-state.root checkpoint.interval.secs
    checkpoint.timeout.secs checkpoint.prefix-key job.name op_name worker_name metrics.reporters scheduler
    job.max.parallelism state.backend.type REQUEST_ROLLBACK_RETRY_TIMES Reliability_Level
"""


def rows() -> list[tuple[str, str]]:
    text = DOCUMENT.read_text().split("## Coming from Ray Streaming\n")[1].split("\n## ")[0]
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert all(len(row) == 2 for row in cells)
    return [(there, here) for there, here in cells if here != "here"]


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_everything_that_the_ancestors_offered_has_its_place() -> None:
    placed = {
        word for there, _ in rows() for code in named(there) for word in re.split(r"[(): ]+", code)
    }
    assert sorted(set(ANCESTORS.split()) - placed) == []


@pytest.mark.parametrize(("there", "here"), rows(), ids=[there for there, _ in rows()])
def test_a_row_names_what_is_there_or_says_why_not(there: str, here: str) -> None:
    calls = [call for code in named(here) for call in re.findall(r"\b([a-z]+)\.(\w+)", code)]
    for owner, name in calls:
        if owner in HERE:
            assert hasattr(HERE[owner], name) or name in HERE[owner].__annotations__, name
    known = any(owner in HERE for owner, _ in calls)
    assert known or "not here: " in here or there.startswith(WORDS), "no name and no reason"


# What answers these rows is no name of the library's.
WORDS = ("Python operators", "`MapFunction`", "`open`", "`Record`")


@pytest.mark.parametrize(
    "name",
    [
        *("buildContext", "withConfig", "submit", "execute", "fromCollection", "union", "sink"),
        *("map", "flatMap", "filter", "keyBy", "reduce", "partitionBy", "broadcast", "forward"),
        *("setParallelism", "disableChain", "withResource", "asPythonStream", "asJavaStream"),
        *("getId", "getInputStream", "getStreamingContext", "getLanguage"),
    ],
)
def test_the_java_api_is_spelt_as_it_was(name: str) -> None:
    declared = "\n".join(path.read_text() for path in JAVA.rglob("*.java"))
    assert re.search(rf"public .*\b{name}\(", declared)
