"""`deploy/upgrade.sh` against a stand-in of kubectl that writes down what it was asked."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

KUBECTL = """#!/bin/sh
echo "$*" >>"$ASKED"
case "$*" in
  kustomize*) cat "$MANIFESTS" ;;
  *"get rayclusters,"*) cat "$LEFT" ;;
  *"get rayclusters"*) echo raycluster.ray.io/satbridge ;;
  *--dry-run*) exit "$NOT_TAKEN" ;;
  *"get job "*) echo "$MIGRATED" ;;
  *"get raycluster "*) echo 2 ;;
  *node-type=head*) echo pod/the-head ;;
  *"get pods"*'"Ready"'*) printf "%s\\n" $READY ;;
  *"get pods"*go-template*) echo "$STUCK" ;;
  *logs*) echo "SATBRIDGE_ROUTERS: must be a number" ;;
  *"create --filename"*) cp "${6:-$5}" "$MADE/${5##*/}" ;;
  *"apply --filename"*) cp "$5" "$MADE/others" ;;
esac
"""
MANIFESTS = """apiVersion: v1
kind: ConfigMap
metadata:
  name: satbridge
---
apiVersion: v1
kind: Secret
metadata:
  name: satbridge
  namespace: satbridge
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: proxy
---
apiVersion: ray.io/v1
kind: RayCluster
metadata:
  name: satbridge
  namespace: satbridge
spec:
  headGroupSpec:
    name: satbridge
    envFrom:
      - configMapRef:
          name: satbridge
      - secretRef:
          name: satbridge
---
apiVersion: v1
kind: Service
metadata:
  name: mail
---
apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
spec:
  envFrom:
    - configMapRef:
        name: satbridge
"""


class Upgrade:
    """One run of the script. `stuck` is the pod that cannot start, and why; `ready` are the pods of the new cluster."""

    def __init__(
        self,
        script: Path,
        folder: Path,
        *words: str,
        stuck: str = "",
        migrated: str = "1",
        ready: str = "True True True",
        not_taken: int = 0,
        left: str = "",
    ) -> None:
        (folder / "manifests").write_text(MANIFESTS)
        (folder / "left").write_text(left)
        (folder / "kubectl").write_text(KUBECTL)
        (folder / "kubectl").chmod(0o755)
        (folder / "made").mkdir()
        files = {
            name.upper(): str(folder / name) for name in ("asked", "made", "manifests", "left")
        }
        settings = {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "STUCK": stuck,
            "MIGRATED": migrated,
            "READY": ready,
            "NOT_TAKEN": str(not_taken),
            "SETTLE_SECONDS": "0",
            "PATIENCE_SECONDS": "1",
            **files,
        }
        done = subprocess.run(
            [script, "small", *words],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
        )
        self.code, self.folder, self.said = done.returncode, folder, done.stderr
        self.asked = (folder / "asked").read_text().splitlines()

    def when(self, text: str) -> int:
        [found] = (n for n, line in enumerate(self.asked) if text in line)
        return found

    def made(self, name: str) -> list[Any]:
        text = (self.folder / "made" / name).read_text()
        return [one for one in yaml.safe_load_all(text) if one]

    @property
    def touched_the_old_one(self) -> bool:
        return any("satbridge down" in line or " delete " in line for line in self.asked)


@pytest.fixture
def script(deploy_folder: Path) -> Path:
    return deploy_folder / "upgrade.sh"


def test_the_new_cluster_is_ready_before_the_old_one_drains(script: Path, tmp_path: Path) -> None:
    upgrade = Upgrade(script, tmp_path)
    assert upgrade.code == 0, upgrade.said
    order = [
        "create --dry-run=server",
        "/settings",
        "/job",
        "get job migrate-",
        "/others",
        "create --filename",
        "get raycluster satbridge-",
        "label pods --selector ray.io/cluster=satbridge satbridge/web-",
        "exec the-head --container gateway -- satbridge down",
        "delete raycluster.ray.io/satbridge",
        "delete configmap/satbridge secret/satbridge job/migrate",
    ]
    del order[5]
    moments = [upgrade.when(one.replace("the-head", "pod/the-head")) for one in order]
    assert moments == sorted(moments)


def test_the_old_settings_and_the_old_migration_are_not_touched(
    script: Path, tmp_path: Path
) -> None:
    upgrade = Upgrade(script, tmp_path)
    names = {one["kind"]: one["metadata"]["name"] for one in upgrade.made("others")}
    assert names == {"ConfigMap": "proxy", "Service": "mail"}
    [cluster] = upgrade.made("cluster")
    new = cluster["metadata"]["name"]
    assert new.startswith("satbridge-")
    assert cluster["metadata"]["namespace"] == "satbridge"
    assert cluster["spec"]["headGroupSpec"] == {
        "name": "satbridge",
        "envFrom": [{"configMapRef": {"name": new}}, {"secretRef": {"name": new}}],
    }
    settings = upgrade.made("settings")
    assert {(one["kind"], one["metadata"]["name"]) for one in settings} == {
        ("ConfigMap", new),
        ("Secret", new),
    }
    [job] = upgrade.made("job")
    assert job["metadata"]["name"] == new.replace("satbridge", "migrate")
    assert job["spec"]["envFrom"] == [{"configMapRef": {"name": new}}]
    for one in (cluster, job, *settings):
        assert one["metadata"]["labels"] == {"satbridge/roll": "unfinished"}


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ({"not_taken": 1}, "small needs 1.6, ha 1.7"),
        ({"migrated": "", "stuck": "migrate-1 Failed 0"}, "SATBRIDGE_ROUTERS: must be a number"),
        ({"ready": "True", "stuck": "head ErrImagePull 0"}, "FAILED: head: ErrImagePull"),
        ({"ready": "True", "stuck": "head CrashLoopBackOff 3"}, "FAILED: head: CrashLoopBackOff"),
        ({"ready": "True True False"}, "is not there after 1 s"),
        ({"ready": "True True"}, "is not there after 1 s"),
        ({"left": "job.batch/migrate-1"}, "an earlier upgrade was not finished"),
    ],
    ids=lambda one: str(one)[:40],
)
def test_an_upgrade_that_fails_says_why_and_leaves_the_old_one(
    script: Path, tmp_path: Path, faults: dict[str, Any], said: str
) -> None:
    upgrade = Upgrade(script, tmp_path, **faults)
    assert upgrade.code == 1
    assert said in upgrade.said
    assert "Nothing that runs has changed" in upgrade.said
    assert "deploy/upgrade.sh small --abort" in upgrade.said
    assert not upgrade.touched_the_old_one


def test_one_that_waits_for_another_may_end_twice(script: Path, tmp_path: Path) -> None:
    upgrade = Upgrade(script, tmp_path, ready="True True", stuck="gateway CrashLoopBackOff 2")
    assert "is not there after 1 s" in upgrade.said


def test_abort_removes_the_unfinished_only(script: Path, tmp_path: Path) -> None:
    upgrade = Upgrade(script, tmp_path, "--abort")
    assert upgrade.code == 0
    [asked] = upgrade.asked
    assert "--selector satbridge/roll=unfinished" in asked
    assert "delete rayclusters,jobs,configmaps,secrets" in asked
