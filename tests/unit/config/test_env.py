"""Where settings are read from: the environment, files that variables name, and `.env`."""

from pathlib import Path

import pytest

from messaging.cli.operation.unknown_settings import unknown_settings
from messaging.config.env import Section, read
from messaging.errors import ConfigurationError


class Example(Section, prefix="SATBRIDGE_EXAMPLE_"):
    password: str


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_text("from a file\n")
    return tmp_path


@pytest.mark.parametrize("line", ["PASSWORD_FILE=secret", "PASSWORD='from a file'"])
def test_a_line_of_the_env_file_may_hold_a_value_or_name_its_file(folder: Path, line: str) -> None:
    (folder / ".env").write_text(f"SATBRIDGE_EXAMPLE_{line}\n")
    assert read(Example).password == "from a file"


def test_the_environment_wins_over_a_file_that_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text("SATBRIDGE_EXAMPLE_PASSWORD_FILE=secret\n")
    monkeypatch.setenv("SATBRIDGE_EXAMPLE_PASSWORD", "from the environment")
    assert read(Example).password == "from the environment"


def test_a_named_file_that_is_not_there_is_named(folder: Path) -> None:
    (folder / ".env").write_text("SATBRIDGE_EXAMPLE_PASSWORD_FILE=nowhere\n")
    with pytest.raises(ConfigurationError, match="PASSWORD_FILE: cannot read nowhere: No such"):
        read(Example)


def test_a_slip_of_the_pen_in_the_env_file_is_noticed(folder: Path) -> None:
    (folder / ".env").write_text("SATBRIDGE_RELAY_ULR=x\nSATBRIDGE_RELAY_URL_FILE=x\nPATH=x\n")
    assert unknown_settings() == ["SATBRIDGE_RELAY_ULR"]
