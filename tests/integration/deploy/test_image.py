"""The Dockerfile and the scripts beside it; `deploy/try-image.sh` builds and runs the image itself."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

HADOLINT = shutil.which("hadolint", path=str(Path(sys.executable).parent))
SCRIPTS = sorted((ROOT / "deploy").glob("*.sh"))


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not here")
def test_hadolint_has_nothing_to_say_of_the_dockerfile() -> None:
    done = subprocess.run([str(HADOLINT), ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not here")
def test_hadolint_would_have(tmp_path: Path) -> None:
    broken = tmp_path / "Dockerfile"
    broken.write_text((ROOT / "Dockerfile").read_text().replace("USER 1000:1000", "USER root"))
    assert subprocess.run([str(HADOLINT), broken], capture_output=True).returncode != 0


def test_the_image_starts_no_process_as_root_and_keeps_what_is_written_in_one_folder() -> None:
    told = (ROOT / "Dockerfile").read_text()
    assert told.rindex("USER 1000:1000") > told.rindex("RUN ")
    assert "VOLUME /var/lib/satbridge" in told


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not here")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_shellcheck_has_nothing_to_say(script: Path) -> None:
    done = subprocess.run(["shellcheck", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
