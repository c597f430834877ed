"""The gateway's half of the dataflow layer loads nothing of the rest, and the inline runtime does not load Ray."""

import subprocess
import sys

import pytest

import messaging.streaming

REST = ("stateful", "windows", "connectors", "java", "viz", "context", "stream")


def loaded_by(modules: str) -> set[str]:
    """Return the modules that a fresh process has loaded after these imports."""
    program = f"import sys, {modules}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return set(done.stdout.decode().split())


def test_the_inline_runtime_loads_neither_ray_nor_the_rest() -> None:
    loaded = loaded_by("messaging.streaming.api, messaging.streaming.runtime.inline")
    assert "messaging.streaming.runtime.worker" in loaded
    assert "ray" not in loaded
    assert not loaded & {f"messaging.streaming.{name}" for name in REST}


@pytest.mark.parametrize("name", messaging.streaming.__all__)
def test_every_name_of_the_library_is_there(name: str) -> None:
    assert getattr(messaging.streaming, name).__name__ == name


def test_a_name_that_the_library_does_not_have_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        messaging.streaming.Nothing  # noqa: B018
