"""Files that other users can read, and ports that other machines can reach, are found."""

import os
import socket
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from messaging.config.settings import Settings
from messaging.service.exposure import listeners, readable_files


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    (folder / "store.sqlite3").touch(0o600)
    (folder / "secret-key").touch(0o600)
    url = SecretStr(f"sqlite:///{folder}/store.sqlite3")
    return Settings(state_dir=folder, database_url=url)


def in_folder(settings: Settings, found: list[Path]) -> list[Path]:
    """Without Ray's token, which is whatever this machine has."""
    return [path for path in found if settings.state_dir in (path, path.parent)]


def test_private_files_are_no_finding(settings: Settings) -> None:
    assert in_folder(settings, readable_files(settings)) == []


def test_an_open_folder_and_an_open_file_are_named(settings: Settings) -> None:
    store = settings.state_dir / "store.sqlite3"
    settings.state_dir.chmod(0o755)
    store.chmod(0o644)
    assert in_folder(settings, readable_files(settings)) == [settings.state_dir, store]


def test_a_closed_folder_hides_its_files(settings: Settings) -> None:
    (settings.state_dir / "store.sqlite3").chmod(0o644)
    assert in_folder(settings, readable_files(settings)) == []


def test_a_group_that_may_read_is_named_apart(settings: Settings) -> None:
    settings.state_dir.chmod(0o750)
    assert in_folder(settings, readable_files(settings)) == []
    found = in_folder(settings, readable_files(settings, stat.S_IRWXG))
    assert found == [settings.state_dir]


@pytest.mark.parametrize(
    ("address", "is_found"),
    [("127.0.0.1", False), ("127.0.0.9", False), ("::1", False), ("0.0.0.0", True), ("::", True)],
)
def test_ports_beyond_loopback_are_found(address: str, is_found: bool) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as server:
        port = server.getsockname()[1]
        assert any(one.port == port for one in listeners(os.getpid())) == is_found
