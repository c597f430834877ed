"""The commands `dkim …`."""

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from messaging.cli.app import app
from messaging.errors import ConfigurationError


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["dkim", *words])


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_new_key_and_its_record(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SATBRIDGE_MAIL_DOMAIN", "sat.example")
    file = tmp_path / "key.pem"
    made = run("new", str(file), "--kind", kind, "--selector", "s2026")
    assert made.exit_code == 0, made.output
    start = f's2026._domainkey.sat.example. IN TXT ( "v=DKIM1; k={kind}; p='
    [line] = [one for one in made.stdout.splitlines() if one.startswith(start)]
    assert f"SATBRIDGE_DKIM_KEYS={file} and SATBRIDGE_DKIM_SELECTORS=s2026" in made.stdout
    assert "PRIVATE" not in made.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    monkeypatch.setenv("SATBRIDGE_DKIM_KEYS", str(file))
    monkeypatch.setenv("SATBRIDGE_DKIM_SELECTORS", "s2026")
    assert run("records").stdout.splitlines() == [line]


def test_a_file_is_never_replaced(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("precious")
    failed = run("new", str(file))
    assert isinstance(failed.exception, ConfigurationError)
    assert file.read_text() == "precious"


def test_no_key_has_no_record() -> None:
    failed = run("records")
    assert isinstance(failed.exception, ConfigurationError)
    assert str(failed.exception) == "SATBRIDGE_DKIM_KEYS is not set"
