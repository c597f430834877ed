"""Java operators in a Python job, and Python operators in a Java program's job, on Ray's own JVM workers."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from messaging.streaming import DeclarationError, StreamingContext
from messaging.streaming.java.java import has_jdk
from messaging.streaming.java.java_driver import declare
from tests.support.paths import ROOT
from tests.support.streaming.java_program import RECORDS


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if not has_jdk():
        pytest.skip("no JDK on the PATH")
    folder = tmp_path_factory.mktemp("java")
    command = [sys.executable, "-m", "tests.support.streaming.java_program", str(folder), str(ROOT)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=280, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().split("\n")[-1])


@pytest.mark.ray
@pytest.mark.timeout(600)
def test_java_operators_run_in_one_jvm_and_their_exceptions_are_the_records(said: Any) -> None:
    assert said["stages"] == ["values-0", "java-partition_by-5", "java-map-6"]
    assert said["seen"] == ["'a!!'", "'a!!'", "'c!!'", "'c!!'"]
    assert said["aside"] == [
        "JavaError: dict cannot travel to Java",
        "JavaError: java.lang.IllegalStateException: not this one",
    ]


@pytest.mark.ray
def test_a_partition_in_java_chooses_among_the_instances_that_there_are(said: Any) -> None:
    assert (said["taken"]["java-map-6/0"], said["taken"]["java-map-6/1"]) == (0, 4)


@pytest.mark.ray
def test_a_jvm_that_is_killed_comes_back_and_java_folds_count_every_record_once(said: Any) -> None:
    assert said["jvms"] == 2
    spoilt = "abc"[RECORDS // 2 % 3]
    for number, letter in enumerate("abc"):
        count = len(range(number, RECORDS, 3)) - (letter == spoilt)
        assert [n for key, n in said["sums"] if key == letter] == list(range(1, count + 1))
    assert said["keyed_aside"] == ["JavaError: java.lang.IllegalStateException: negative"]


@pytest.mark.ray
def test_a_java_program_runs_python_operators(said: Any) -> None:
    assert "java from 0null" in said["driver"]
    assert "whole: true" in said["driver"]
    assert said["driven"] == "A!?\nB!?\nA!A!?\n"


def test_both_views_of_a_stream_are_the_same_stream_without_a_jvm() -> None:
    python = StreamingContext().from_values(1).set_parallelism(3).with_config("a", "b")
    java = python.as_java_stream()
    assert java.get_id() == python.get_id() == java.as_python_stream().get_id()
    assert java.get_parallelism() == python.get_parallelism() == 3
    assert java.set_parallelism(2).get_config() == python.get_config() == {"a": "b"}
    assert java.with_config(conf={"c": "d"}).get_config() == {"a": "b", "c": "d"}
    assert python.get_parallelism() == 2
    assert java.get_streaming_context() is python.get_streaming_context() is python.context
    assert (python.get_language(), java.get_language()) == ("python", "java")


def test_operators_in_one_jvm_ask_together_for_what_the_first_of_them_asks() -> None:
    context = StreamingContext()
    java = context.from_values(1).as_java_stream()
    java.map("pkg.M").with_resource("jvms", 1).filter("pkg.F").map("pkg.M").sink("pkg.S")
    stages = {stage.name: dict(stage.demand) for stage in context.graph().stages}
    assert stages == {"values-0": {}, "java-sink-4": {"jvms": 1}}


def test_what_a_java_stream_was_made_from_can_be_used_again() -> None:
    context = StreamingContext()
    source = context.from_values(1).as_java_stream()
    keyed = source.map("pkg.M").key_by("pkg.K")
    again = keyed.reduce("pkg.R").get_input_stream()
    assert again is not None
    assert (again.paired, again.get_id()) == (True, keyed.get_id())
    again.reduce("pkg.R")
    assert source.get_input_stream() is None


def test_a_partition_call_after_a_change_of_language_is_a_mistake() -> None:
    java = StreamingContext().from_values(1).as_java_stream()
    mistakes: list[Callable[[], object]] = [
        lambda: java.key_by("pkg.Key"),
        lambda: java.broadcast(),
        lambda: java.partition_by("pkg.Partition"),
        lambda: java.as_python_stream().key_by(str),
        lambda: java.map("pkg.M").as_python_stream().broadcast(),
    ]
    for mistake in mistakes:
        with pytest.raises(DeclarationError, match=r"declared at .*test_java.py:"):
            mistake()
    java.as_python_stream().map(str).key_by(str)
    java.map("pkg.M").broadcast().map("pkg.M").key_by("pkg.K").reduce("pkg.R").sink("pkg.S")


def test_what_java_puts_beside_a_record_stays_in_java() -> None:
    keyed = StreamingContext().from_values(1).as_java_stream().map("pkg.M").key_by("pkg.K")
    for mistake in (keyed.as_python_stream, keyed.broadcast, lambda: keyed.union(keyed)):
        with pytest.raises(DeclarationError, match=r"written in Java, too"):
            mistake()


def test_a_stream_that_was_keyed_in_python_is_folded_in_java() -> None:
    context = StreamingContext()
    context.from_values(("a", 1)).key_by(0).as_java_stream().reduce("pkg.R").sink("pkg.S")
    assert [stage.name for stage in context.graph().stages] == [
        "values-0",
        "java-reduce-1",
        "java-sink-2",
    ]


def test_a_java_program_declares_what_it_says() -> None:
    verbs = [
        (-1, "java", "from_values", ["a", "b"]),
        (0, "java", "set_parallelism", [2]),
        (0, "java", "key_by", ["pkg.Key"]),
        (2, "java", "reduce", ["pkg.Reduce"]),
        (3, "java", "union", [0]),
        (4, "java", "round_robin", []),
        (5, "python", "map", ["tests.support.streaming.operators_for_java", "shout"]),
        (6, "python", "partition_by", ["tests.support.streaming.operators_for_java", "first"]),
        (7, "java", "sink", ["pkg.Sink"]),
        (2, "java", "with_resource", ["CPU", 1.0]),
    ]
    graph = declare(verbs).graph()
    assert graph.stage("java-key_by-1").cpus == 1.0
    assert [(e.upstream, e.downstream, e.partition.label) for e in graph.edges] == [
        ("values-0", "java-key_by-1", "forward"),
        ("java-key_by-1", "java-reduce-2", "by key"),
        ("java-reduce-2", "map-3", "round robin"),
        ("values-0", "map-3", "round robin"),
        ("map-3", "java-sink-4", "custom"),
    ]
