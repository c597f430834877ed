"""What has to hold so that a pod's end costs no message: the hook, and who waits how long for whom."""

import re
from typing import Any

from typer.main import get_command

from messaging.cli.app import app
from messaging.config.settings import Settings
from tests.support.deploy.checks import Problems
from tests.support.deploy.kustomize import Manifest, find
from tests.support.deploy.pods import Pod, pods
from tests.support.paths import ROOT

JOIN_SECONDS = 10
"""What the hook takes to start and to join the cluster (docs/pods.md)."""
END_SECONDS = 5
HOOK = ["satbridge", "prepare-for-shutdown"]
# KubeRay sets them, and the last is given in one overlay only.
BY_THE_OPERATOR = {"RAY_AUTH_MODE", "RAY_REDIS_ADDRESS"}
SETTING_OF_A_NODE = re.compile(r"^\| `(RAY_\w+)`[^|]*\| `?([^|`]*)`? \|", re.MULTILINE)


def mail_pods_drain_before_ray_ends_them(manifests: list[Manifest]) -> Problems:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for pod in _ray(manifests):
        found = _hook(pod)
        if (pod.group == "smtp") != (found == HOOK):
            yield f"{pod.name}: runs {found} before it ends"
        if found and found[-1] not in commands:
            yield f"{pod.name}: there is no command {found[-1]}"


def the_grace_period_outlasts_the_drain(manifests: list[Manifest]) -> Problems:
    announced = _seconds(manifests, "unready_seconds")
    drain = _seconds(manifests, "drain_seconds")
    for pod in _ray(manifests):
        rays = _environment(pod).get("RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S")
        if rays is None:
            yield f"{pod.name}: Ray's own drain is not set"
            continue
        hook = JOIN_SECONDS + announced + drain if _hook(pod) else 0
        needed = hook + int(rays) + END_SECONDS
        grace = pod.spec.get("terminationGracePeriodSeconds", 30)
        if grace <= needed:
            yield f"{pod.name}: a grace period of {grace} s, and its end may take {needed:g} s"


def drains_are_noticed_before_the_port_closes(manifests: list[Manifest]) -> Problems:
    announced = _seconds(manifests, "unready_seconds")
    for pod in _ray(manifests):
        probe: Any = pod.containers[0]["readinessProbe"]
        needed = probe["periodSeconds"] * probe.get("failureThreshold", 3) + probe["timeoutSeconds"]
        if pod.group in ("smtp", "worker") and needed > announced:
            yield f"{pod.name}: a drain is announced for {announced:g} s, its probe needs {needed}"


def the_nodes_have_the_environment_that_the_page_asks_for(manifests: list[Manifest]) -> Problems:
    told = SETTING_OF_A_NODE.findall((ROOT / "docs/cluster.md").read_text())
    assert len(told) > len(BY_THE_OPERATOR)
    for name, value in told:
        for pod in _ray(manifests):
            asked = name not in BY_THE_OPERATOR and (
                pod.group == "headgroup" or not _is_for_the_head(name)
            )
            if asked and _environment(pod).get(name) != value:
                yield f"{pod.name}: {name} is not {value}"


def _is_for_the_head(name: str) -> bool:
    return f"`{name}` (head)" in (ROOT / "docs/cluster.md").read_text()


def nothing_runs_on_the_head(manifests: list[Manifest]) -> Problems:
    [head] = (pod for pod in _ray(manifests) if pod.group == "headgroup")
    if head.start.get("num-cpus") != "0":
        yield "the head has a processor to give"
    if _seconds(manifests, "worker_cpus") <= 0:
        yield "actors ask for no processor, so the head has room for them"


def what_was_taken_down_stays_down(manifests: list[Manifest]) -> Problems:
    [head] = (pod for pod in _ray(manifests) if pod.group == "headgroup")
    [gateway] = (c for c in head.containers if c["name"] == "gateway")
    if not gateway.get("command", [""])[-1].startswith("satbridge up && exec sleep"):
        yield "after `satbridge down` the container is started again, and with it the gateway"


def _seconds(manifests: list[Manifest], field: str) -> float:
    given = find(manifests, "ConfigMap", "satbridge")["data"]
    return float(given.get(Settings.variables()[field], Settings.model_fields[field].default))


def _hook(pod: Pod) -> list[str]:
    lifecycle: Any = pod.containers[0].get("lifecycle", {})
    command: list[str] = lifecycle.get("preStop", {}).get("exec", {}).get("command", [])
    return command


def _ray(manifests: list[Manifest]) -> list[Pod]:
    return [pod for pod in pods(manifests) if pod.group]


def _environment(pod: Pod) -> dict[str, str]:
    return {e["name"]: e.get("value", "") for e in pod.containers[0].get("env", [])}
