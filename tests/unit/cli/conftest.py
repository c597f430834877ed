"""The store of the command line's tests: an empty SQLite file with all tables, copied for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.store.db.connection import close_connection, migrate_store, open_store


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("migrated")
    path = folder / "store.sqlite3"
    open_store(read(Settings, database_url=f"sqlite:///{path}", state_dir=folder))
    migrate_store()
    close_connection()
    return path


@pytest.fixture
def store_settings(
    migrated_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Point the environment at a new store; return its settings."""
    path = Path(shutil.copy(migrated_file, tmp_path / "store.sqlite3"))
    monkeypatch.setenv("SATBRIDGE_DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setenv("SATBRIDGE_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("SATBRIDGE_MAIL_DOMAIN", "example.org")
    monkeypatch.delenv("COLUMNS", raising=False)  # tables of any width, whatever ran before
    yield read(Settings)
    close_connection()
