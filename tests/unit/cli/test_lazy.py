"""Commands are imported when they are used: others do not wait for them, and their help is the same."""

import subprocess
import sys
from typing import Any

import pytest

from messaging.cli.app import COMMANDS
from messaging.cli.lazy import LazyCommand
from messaging.cli.simulate.app import COMMANDS as SIMULATE_COMMANDS

HEAVY = ("ray", "django", "fastapi", "messaging.simulator", "messaging.satellite", "twilio")


@pytest.mark.parametrize("command", [*COMMANDS, *SIMULATE_COMMANDS], ids=lambda one: one.name)
def test_the_list_of_commands_has_the_beginning_of_their_own_help(command: LazyCommand) -> None:
    loaded: Any = command.load()
    assert command.help is not None
    assert loaded.help.startswith(command.help.removesuffix(".")), loaded.help
    assert loaded.name == command.name


def modules_after(*words: str) -> set[str]:
    """The modules that a process has imported once it has run the command."""
    script = (
        "import sys\n"
        f"sys.argv = ['satbridge', *{words!r}]\n"
        "from messaging.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('\\n' + ' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    return set(done.stdout.splitlines()[-1].split())


def test_the_help_imports_no_command() -> None:
    assert not modules_after("--help") & set(HEAVY)


def test_status_imports_neither_ray_nor_simulators() -> None:
    found = modules_after("status", "--help")
    assert "messaging.store.console.queues" in found
    assert not found & {"ray", "fastapi", "messaging.simulator"}


def test_a_simulator_imports_no_other() -> None:
    found = modules_after("simulate", "spot", "--help")
    assert "messaging.simulator.spot" in found
    assert not found & {"ray", "django", "messaging.simulator.twilio"}
