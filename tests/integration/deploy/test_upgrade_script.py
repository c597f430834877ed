"""`deploy/upgrade.sh` against a stand-in of kubectl that writes down what it was asked."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

KUBECTL = """#!/bin/sh
echo "$*" >>"$ASKED"
case "$*" in
  kustomize*) cat "$MANIFESTS" ;;
  *"get rayclusters"*) echo raycluster.ray.io/satbridge ;;
  *node-type=head*) echo pod/the-head ;;
  *"get pods"*) echo pod/one ;;
  *"wait"*"pod "*) exit "$NOT_READY" ;;
  *create*) cat >"$CREATED" ;;
  *apply*) cat >"$APPLIED" ;;
esac
"""
MANIFESTS = """apiVersion: v1
kind: ConfigMap
metadata:
  name: satbridge
---
apiVersion: ray.io/v1
kind: RayCluster
metadata:
  name: satbridge
  namespace: satbridge
spec:
  headGroupSpec: {name: satbridge}
---
apiVersion: v1
kind: Service
metadata:
  name: mail
"""


class Upgrade:
    def __init__(self, script: Path, folder: Path, *, not_ready: int = 0) -> None:
        (folder / "manifests").write_text(MANIFESTS)
        (folder / "kubectl").write_text(KUBECTL)
        (folder / "kubectl").chmod(0o755)
        files = {
            name.upper(): str(folder / name)
            for name in ("asked", "created", "applied", "manifests")
        }
        path = f"{folder}:{os.environ['PATH']}"
        settings = {"PATH": path, "NOT_READY": str(not_ready), "SETTLE_SECONDS": "0", **files}
        done = subprocess.run(
            [script, "small"], env={**os.environ, **settings}, capture_output=True
        )
        self.code, self.folder = done.returncode, folder
        self.asked = (folder / "asked").read_text().splitlines()

    def when(self, text: str) -> int:
        [found] = (n for n, line in enumerate(self.asked) if text in line)
        return found


@pytest.fixture
def script(deploy_folder: Path) -> Path:
    return deploy_folder / "upgrade.sh"


def test_the_new_cluster_is_ready_before_the_old_one_drains(script: Path, tmp_path: Path) -> None:
    upgrade = Upgrade(script, tmp_path)
    assert upgrade.code == 0
    order = [
        "delete job migrate",
        "wait --for condition=complete job/migrate",
        "create",
        "wait --for condition=Ready pod",
        "label pods --selector ray.io/cluster=satbridge satbridge/web-",
        "exec pod/the-head --container gateway -- satbridge down",
        "delete raycluster.ray.io/satbridge",
    ]
    assert [upgrade.when(one) for one in order] == sorted(upgrade.when(one) for one in order)
    applied = yaml.safe_load_all((tmp_path / "applied").read_text())
    assert [one["kind"] for one in applied if one] == ["ConfigMap", "Service"]
    created = [one for one in yaml.safe_load_all((tmp_path / "created").read_text()) if one]
    [name] = (one["metadata"]["name"] for one in created)
    assert name.startswith("satbridge-")
    assert created[0]["metadata"]["namespace"] == "satbridge"


def test_an_old_cluster_stays_when_the_new_one_does_not_get_ready(
    script: Path, tmp_path: Path
) -> None:
    upgrade = Upgrade(script, tmp_path, not_ready=1)
    assert upgrade.code != 0
    assert not any("down" in line or "delete raycluster" in line for line in upgrade.asked)
