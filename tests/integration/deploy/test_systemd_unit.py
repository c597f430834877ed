"""The unit for systemd that stands in the documents."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from configparser import ConfigParser
from pathlib import Path

import pytest

from messaging.config.settings import Settings
from messaging.gateway import sections
from tests.support.paths import ROOT

DOCUMENT = (ROOT / "docs/operations.md").read_text()


def block(language: str, first: str) -> str:
    found: list[str] = re.findall(
        rf"```{language}\n({re.escape(first)}.*?)```", DOCUMENT, re.DOTALL
    )
    [text] = found
    return text


def unit() -> str:
    return block("ini", "[Unit]")


def service() -> Mapping[str, str]:
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit())
    return parser["Service"]


def known() -> set[str]:
    return {variable for section in sections() for variable in section.variables().values()}


def test_it_outlasts_the_drain_and_lets_rays_processes_live_until_then() -> None:
    fields = Settings.model_fields
    announced, drain = fields["unready_seconds"].default, fields["drain_seconds"].default
    assert int(service()["TimeoutStopSec"]) >= announced + drain + 30
    assert service()["KillMode"] == "mixed"
    assert service()["Restart"] == "on-failure"


def test_its_secret_is_a_credential_and_every_setting_exists() -> None:
    name, _, source = service()["LoadCredential"].partition(":")
    variable, _, path = service()["Environment"].partition("=")
    assert path == f"%d/{name}"
    assert source.startswith("/etc/satbridge/")
    assert variable.removesuffix("_FILE") in known()
    lines = block("sh", "SATBRIDGE_DATABASE_URL").splitlines()
    assert {line.partition("=")[0] for line in lines} <= known()


def test_what_it_writes_is_in_its_state_directory() -> None:
    folder = f"/var/lib/{service()['StateDirectory']}"
    assert service()["WorkingDirectory"].replace("%S", "/var/lib") == folder
    assert f"SATBRIDGE_STATE_DIR={folder}\n" in DOCUMENT
    assert f"SATBRIDGE_DATABASE_URL=sqlite:///{folder}/" in DOCUMENT


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_takes_it(tmp_path: Path) -> None:
    file = tmp_path / "satbridge.service"
    # The command has to be there.
    file.write_text(unit().replace("/opt/satbridge/bin/satbridge", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "satbridge.service" not in done.stderr
