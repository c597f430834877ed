"""Java operators in a Python job, and Python operators in a Java program's job, on Ray's own JVM workers."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from messaging.streaming import DeclarationError, StreamingContext
from messaging.streaming.java import has_jdk

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if not has_jdk():
        pytest.skip("no JDK on the PATH")
    folder = tmp_path_factory.mktemp("java")
    command = [sys.executable, "-m", "tests.streaming.java_program", str(folder), str(ROOT)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=280, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().split("\n")[-1])


@pytest.mark.ray
@pytest.mark.timeout(300)
def test_java_operators_run_in_one_jvm_and_their_exceptions_are_the_records(said: Any) -> None:
    assert said["stages"] == ["values-0", "java-flat_map-4"]
    assert said["seen"] == ["'a!'", "'a!'", "'c!'", "'c!'"]
    assert said["aside"] == [
        "JavaError: dict cannot travel to Java",
        "JavaError: java.lang.IllegalStateException: not this one",
    ]


@pytest.mark.ray
def test_a_java_program_runs_python_operators(said: Any) -> None:
    assert "whole: true" in said["driver"]
    assert said["driven"] == "A!\nB!\nC!\n"


def test_both_views_of_a_stream_are_the_same_stream_without_a_jvm() -> None:
    python = StreamingContext().from_values(1).set_parallelism(3).with_config("a", "b")
    java = python.as_java_stream()
    assert java.get_id() == python.get_id() == java.as_python_stream().get_id()
    assert java.get_parallelism() == python.get_parallelism() == 3
    assert java.set_parallelism(2).get_config() == python.get_config() == {"a": "b"}
    assert python.get_parallelism() == 2


def test_a_partition_call_after_a_change_of_language_is_a_mistake() -> None:
    java = StreamingContext().from_values(1).as_java_stream()
    mistakes: list[Callable[[], object]] = [
        lambda: java.key_by("pkg.Key"),
        lambda: java.broadcast(),
        lambda: java.as_python_stream().key_by(str),
        lambda: java.map("pkg.M").as_python_stream().broadcast(),
    ]
    for mistake in mistakes:
        with pytest.raises(DeclarationError, match=r"declared at .*test_java.py:"):
            mistake()
    java.as_python_stream().map(str).key_by(str)
