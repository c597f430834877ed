"""Folders of temporary files that are missing are named, and replaced by the usual one."""

import os
import tempfile
from pathlib import Path

import pytest

from messaging.config.settings import Settings
from messaging.config.temporary import (
    USUAL,
    replace_missing_folders,
    temporary_folders,
    temporary_problem,
)
from messaging.store.db.room import folder_room_problem


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    for name in ("TMPDIR", "RAY_TMPDIR"):
        monkeypatch.delenv(name, raising=False)


def test_the_usual_folder_counts_unless_another_one_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert temporary_folders() == {"": USUAL}
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    assert temporary_folders() == {"": USUAL, "RAY_TMPDIR": tmp_path}
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert set(temporary_folders()) == {"TMPDIR", "RAY_TMPDIR"}
    assert temporary_problem() is None


@pytest.mark.parametrize("name", ["TMPDIR", "RAY_TMPDIR"])
def test_a_missing_folder_is_named_and_replaced(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    missing = tmp_path / "missing"
    monkeypatch.setenv(name, str(missing))
    settings = Settings(state_dir=tmp_path)
    problem = folder_room_problem(settings) or ""
    assert problem.startswith(f"{name}: {missing} is not a folder")
    replace_missing_folders()
    assert name not in os.environ
    assert f"{problem}; {USUAL} is used instead" in caplog.text
    assert temporary_problem() is None


def test_a_file_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("TMPDIR", str(file))
    assert temporary_problem()
