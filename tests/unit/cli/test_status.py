"""The command `status`, of a service whose report is in the state folder."""

import json
import os
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from messaging.cli.app import app
from messaging.config.settings import Settings
from messaging.service.state_file import RunningService, StateFile, remove

SINCE = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def running(store_settings: Settings) -> None:
    """Let this process be the service."""
    worker = {"name": "mail-out", "in": 3, "out": 3, "refused": 0, "idle": True}
    StateFile(store_settings.state_dir).write(
        RunningService(
            pid=os.getpid(),
            state="running",
            mail=["127.0.0.1:7420"],
            http="127.0.0.1:8000",
            since=SINCE.timestamp(),
            at=SINCE.timestamp() + 60,
            workers=[worker],
        )
    )


def test_json_has_times_in_iso_8601_beside_the_seconds() -> None:
    found = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)["running"]
    assert (found["since"], found["at"]) == (SINCE.timestamp(), SINCE.timestamp() + 60)
    assert found["since_time"] == "2026-11-30T12:00:00+00:00"
    assert found["at_time"] == "2026-11-30T12:01:00+00:00"
    assert found["pid"] == os.getpid()


def test_outgoing_mail_has_a_row() -> None:
    done = CliRunner().invoke(app, ["status"])
    assert done.exit_code == 0
    assert "mail-out" in done.stdout


def test_without_a_service_the_state_folder_is_named(store_settings: Settings) -> None:
    remove(store_settings.state_dir)
    done = CliRunner().invoke(app, ["status"])
    assert done.exit_code == 1
    assert f"not running (SATBRIDGE_STATE_DIR is {store_settings.state_dir})" in done.stdout
