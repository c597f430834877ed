"""The ConfigMap and the Secret have every setting that the code has."""

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def settings_env() -> ModuleType:
    spec = importlib.util.spec_from_file_location("settings_env", ROOT / "deploy/settings_env.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HINT = "run `python deploy/settings_env.py`"


def test_every_setting_stands_in_the_files_of_the_manifests(settings_env: ModuleType) -> None:
    assert settings_env.SETTINGS.read_text() == settings_env.settings_env(), HINT
    assert settings_env.SECRETS.read_text() == settings_env.secrets_env(), HINT


def test_secrets_are_random_and_stay(deploy_folder: Path) -> None:
    files = sorted((deploy_folder / "overlays").glob("*/*.env"))
    before = [file.read_text() for file in files]
    again = subprocess.run(
        [deploy_folder / "new-secrets.sh", "small"], capture_output=True, text=True
    )
    assert again.stdout.count("stays") == 3
    assert [file.read_text() for file in files] == before
    secret = (deploy_folder / "overlays/small/secrets.env").read_text()
    assert "@" not in secret.replace("@postgres/", "")
    password = (deploy_folder / "overlays/small/postgres.env").read_text().strip().partition("=")[2]
    assert f"satbridge:{password}@postgres/satbridge" in secret
    assert (deploy_folder / "overlays/small/secrets.env").stat().st_mode & 0o077 == 0


def test_git_ignores_the_files_with_secrets(deploy_folder: Path) -> None:
    made = {f.name for f in (deploy_folder / "overlays/small").glob("*.env")} - {"settings.env"}
    made |= {f.name for f in (deploy_folder / "overlays/ha").glob("*.env")} - {"settings.env"}
    ignored = (ROOT / ".gitignore").read_text()
    assert all(f"/deploy/overlays/*/{name}" in ignored for name in made)
