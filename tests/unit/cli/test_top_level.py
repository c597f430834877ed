"""The options of `satbridge` itself: version, help, completion."""

import os
import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from messaging.cli.app import app


def test_the_version_is_that_of_the_package() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.stdout) == (0, f"satbridge {version('satbridge')}\n")


@pytest.mark.parametrize("words", [["-h"], ["devices", "-h"], ["devices", "add", "-h"]])
def test_h_is_help(words: list[str]) -> None:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0
    assert "Usage:" in done.stdout


def test_the_shell_completes_commands_within_groups() -> None:
    environment = {
        "_SATBRIDGE_COMPLETE": "complete_bash",
        "COMP_WORDS": "satbridge devices ch",
        "COMP_CWORD": "2",
    }
    script = "import sys; sys.argv = ['satbridge']; from messaging.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["change"]
