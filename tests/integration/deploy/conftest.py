"""The manifests as an operator would apply them, with secrets made for the occasion."""

import shutil
import subprocess
from copy import deepcopy
from pathlib import Path

import pytest

from tests.support.deploy.kustomize import Manifest, render
from tests.support.paths import ROOT

OVERLAYS = ("small", "ha")


@pytest.fixture(scope="session")
def deploy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of deploy/ with secrets in it."""
    folder = tmp_path_factory.mktemp("project") / "deploy"
    made = shutil.ignore_patterns("secrets.env", "postgres.env", "redis.env", "ray-token.env")
    shutil.copytree(ROOT / "deploy", folder, ignore=made)
    for overlay in OVERLAYS:
        subprocess.run([folder / "new-secrets.sh", overlay], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def _rendered(deploy_folder: Path) -> dict[str, list[Manifest]]:
    return {name: render(deploy_folder / "overlays" / name) for name in OVERLAYS}


@pytest.fixture(params=OVERLAYS)
def manifests(
    request: pytest.FixtureRequest, _rendered: dict[str, list[Manifest]]
) -> list[Manifest]:
    """All manifests of one overlay; free to be broken."""
    return deepcopy(_rendered[request.param])


@pytest.fixture
def ha(_rendered: dict[str, list[Manifest]]) -> list[Manifest]:
    """Those of `ha`; free to be broken."""
    return deepcopy(_rendered["ha"])
