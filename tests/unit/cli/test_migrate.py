"""`satbridge migrate` reads all settings before it touches the database, and waits for one that is away."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from messaging.cli.app import app
from messaging.errors import ConfigurationError
from messaging.store.db.connection import close_connection
from tests.support.closed_port import closed_port
from tests.support.paths import ROOT


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the environment at a store that does not exist, which nothing else migrates; return its path."""
    path = tmp_path / "store.sqlite3"
    monkeypatch.setenv("SATBRIDGE_DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setenv("SATBRIDGE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SATBRIDGE_MIGRATE", "False")
    return path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["migrate", *words])


def test_a_database_is_brought_up_to_date_once(store: Path) -> None:
    assert f"brought up to date: {store}" in run().stdout
    assert f"is up to date: {store}" in run().stdout
    close_connection()


def test_a_wrong_setting_is_named_before_the_database_is_touched(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SATBRIDGE_ROUTERS", "abc")
    outcome = run("--wait", "60")
    assert isinstance(outcome.exception, ConfigurationError)
    assert "SATBRIDGE_ROUTERS" in str(outcome.exception)
    assert not store.exists()


def test_a_database_that_is_away_is_waited_for_with_one_line(tmp_path: Path) -> None:
    with closed_port("postgresql") as server:
        done = subprocess.run(
            [sys.executable, "-m", "messaging", "migrate", "--wait", "2.5"],
            cwd=ROOT,
            env={
                "PATH": "",
                "SATBRIDGE_DATABASE_URL": f"{server}/x",
                "SATBRIDGE_STATE_DIR": str(tmp_path),
            },
            capture_output=True,
            text=True,
        )
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert [line for line in lines if "waiting for it" in line] == lines[:1]
    assert "nothing listens at the address of the database" in lines[-1]
    assert len(lines) == 2
