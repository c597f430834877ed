"""The pods that the manifests lead to, with the labels that KubeRay gives them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.deploy.kustomize import Manifest

AGENT_PORT = 52365
"""The node's own health, which Ray serves on every node."""


@dataclass(frozen=True, slots=True)
class Pod:
    """One template. `group` is the Ray group, empty for what is no node of Ray."""

    name: str
    group: str
    labels: Mapping[str, str]
    spec: Mapping[str, Any]
    start: Mapping[str, str]

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        return list(self.spec["containers"])

    def ports(self) -> dict[str | int, int]:
        """Every port, by its name and by its number."""
        found: dict[str | int, int] = {}
        for container in self.containers:
            for port in container.get("ports", []):
                found[port["name"]] = found[port["containerPort"]] = port["containerPort"]
        return found


def pods(manifests: list[Manifest]) -> Iterator[Pod]:
    for manifest in manifests:
        name, spec = manifest["metadata"]["name"], manifest.get("spec", {})
        if manifest["kind"] == "RayCluster":
            head = spec["headGroupSpec"]
            yield _ray_pod(name, "head", "headgroup", head)
            for group in spec["workerGroupSpecs"]:
                yield _ray_pod(name, "worker", group["groupName"], group)
        elif manifest["kind"] == "CronJob":
            yield _pod(name, spec["jobTemplate"]["spec"]["template"])
        elif "template" in spec:
            yield _pod(name, spec["template"])


def _pod(name: str, template: Manifest) -> Pod:
    return Pod(name, "", template["metadata"]["labels"], template["spec"], {})


def _ray_pod(cluster: str, kind: str, group: str, told: Manifest) -> Pod:
    labels = {
        **told["template"]["metadata"].get("labels", {}),
        "ray.io/cluster": cluster,
        "ray.io/group": group,
        "ray.io/is-ray-node": "yes",
        "ray.io/node-type": kind,
    }
    spec, start = told["template"]["spec"], told["rayStartParams"]
    return Pod(f"{cluster}/{group}", group, labels, spec, start)


def selected(manifests: list[Manifest], selector: Mapping[str, Any]) -> list[Pod]:
    """The pods that a selector meets. An empty one meets all."""
    wanted = selector.get("matchLabels", {})
    return [pod for pod in pods(manifests) if wanted.items() <= pod.labels.items()]
