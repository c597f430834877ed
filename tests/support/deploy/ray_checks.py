"""What KubeRay's operator and Ray demand of the cluster beyond the schema (validation.go of v1.7.0)."""

import json
import re
import shlex
from collections.abc import Iterator

from tests.support.deploy.checks import RAY_NODE, RAY_PORTS, Problems
from tests.support.deploy.kustomize import Manifest
from tests.support.deploy.pods import Pod, pods, selected

MAX_NAME = 50
REDIS = {"app.kubernetes.io/name": "redis"}


def the_operator_takes_it(manifests: list[Manifest]) -> Problems:
    for cluster in _clusters(manifests):
        name, spec = cluster["metadata"]["name"], cluster["spec"]
        if not re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name) or len(name) > MAX_NAME:
            yield f"{name} is no name for a RayCluster"
        if spec["authOptions"].get("mode") != "token":
            yield "whoever reaches Ray may use it"
        if tuple(map(int, spec["rayVersion"].split("."))) < (2, 52, 0):
            yield "this Ray has no tokens"
        yield from _kept_tables(spec)
        for group in spec["workerGroupSpecs"]:
            if not group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]:
                yield f"{group['groupName']}: replicas out of bounds"
            if "labels" in group["rayStartParams"]:
                yield f"{group['groupName']}: labels do not belong to rayStartParams"


def _kept_tables(spec: Manifest) -> Iterator[str]:
    kept = spec.get("gcsFaultToleranceOptions")
    if kept is None:
        return
    if "redis-password" in spec["headGroupSpec"]["rayStartParams"]:
        yield "the password of Redis belongs to gcsFaultToleranceOptions"
    if "externalStorageNamespace" in kept:
        yield "a new cluster would find the old one's tables"


def each_mail_pod_has_one_place_for_mail(manifests: list[Manifest]) -> Problems:
    found = [pod for pod in pods(manifests) if _resources(pod).get("smtp")]
    if [pod.group for pod in found] != ["smtp"]:
        yield "mail comes in on other pods than those of the group smtp"
    for pod in found:
        if _resources(pod) != {"smtp": 1}:
            yield f"{pod.name} has places for {_resources(pod)}"


def _resources(pod: Pod) -> dict[str, float]:
    """As the shell reads it, through which KubeRay starts Ray."""
    told = shlex.split(pod.start.get("resources", "{}"))
    found: dict[str, float] = json.loads(told[0]) if len(told) == 1 else {"not one word": 0}
    return found


def the_driver_shares_what_the_head_has(manifests: list[Manifest]) -> Problems:
    [head] = (pod for pod in pods(manifests) if pod.group == "headgroup")
    mounts = {
        c["name"]: {m["mountPath"]: m["name"] for m in c["volumeMounts"]} for c in head.containers
    }
    for path in ("/tmp", "/dev/shm"):
        if mounts["gateway"].get(path, "-") != mounts["ray-head"].get(path):
            yield f"the gateway's {path} is not the head's"
    if not head.spec.get("shareProcessNamespace"):
        yield "the gateway does not see the head's processes"
    for pod in (p for p in pods(manifests) if p.group):
        memory = [v["emptyDir"].get("medium") for v in pod.spec["volumes"] if v["name"] == "shm"]
        if memory != ["Memory"]:
            yield f"{pod.name}: /dev/shm is not in memory"


def nobody_else_reaches_ray(manifests: list[Manifest]) -> Problems:
    policies = [m for m in manifests if m["kind"] == "NetworkPolicy"]
    if not any(_refuses_all(policy["spec"]) for policy in policies):
        yield "nothing is refused by default"
    for policy in policies:
        meets = [p for p in selected(manifests, policy["spec"]["podSelector"]) if p.group]
        for rule in policy["spec"].get("ingress", []) if meets else []:
            among = all(
                p.get("podSelector", {}).get("matchLabels") == RAY_NODE
                for p in rule.get("from", [{}])
            )
            ports = {port["port"] for port in rule.get("ports", [])}
            if not among and (not ports or ports & RAY_PORTS):
                yield f"{policy['metadata']['name']} opens Ray's ports"


def _refuses_all(spec: Manifest) -> bool:
    closed = spec.get("policyTypes") == ["Ingress", "Egress"] and not spec["podSelector"]
    return closed and not spec.keys() & {"ingress", "egress"}


def _clusters(manifests: list[Manifest]) -> Iterator[Manifest]:
    return (m for m in manifests if m["kind"] == "RayCluster")
