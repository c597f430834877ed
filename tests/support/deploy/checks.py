"""What no schema sees in the manifests: each check tells what is wrong, in words."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from messaging.gateway import sections
from tests.support.deploy.kustomize import Manifest, find
from tests.support.deploy.pods import AGENT_PORT, Pod, pods, selected
from tests.support.paths import ROOT

# Made by others: cert-manager, or the operator.
ELSEWHERE = {"mail-tls", "web-tls"}
SOLVERS = {"matchLabels": {"acme.cert-manager.io/http01-solver": "true"}}
RAY_PORTS = {6379, 8265, 10001, AGENT_PORT}
RAY_NODE = {"ray.io/is-ray-node": "yes"}
LOCKED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
REQUIRED = {
    "SATBRIDGE_DATABASE_URL",
    "SATBRIDGE_MAIL_DOMAIN",
    "SATBRIDGE_PUBLIC_URL",
    "SATBRIDGE_SECRET_KEY",
}

TELLING_NAME = re.compile(r"(PASSWORD|SECRET|SECRET_KEY|TOKEN|API_KEY|RELAY_URL|FEEDS)$")
PASSWORD_IN_URL = re.compile(r"://[^/]*:[^/]*@")

Problems = Iterator[str]
Check = Callable[[list[Manifest]], Problems]


def selectors_meet_pods(manifests: list[Manifest]) -> Problems:
    for manifest in manifests:
        for selector in _selectors(manifest):
            if selector != SOLVERS and not selected(manifests, selector):
                yield f"{_name(manifest)} selects nobody"


def _selectors(manifest: Manifest) -> Iterator[Manifest]:
    spec = manifest.get("spec", {})
    match manifest["kind"]:
        case "Service":
            yield {"matchLabels": spec["selector"]}
        case "PodDisruptionBudget":
            yield spec["selector"]
        case "NetworkPolicy":
            yield spec["podSelector"]
            for rule in [*spec.get("ingress", []), *spec.get("egress", [])]:
                for peer in [*rule.get("from", []), *rule.get("to", [])]:
                    if set(peer) == {"podSelector"}:
                        yield peer["podSelector"]


def ports_exist(manifests: list[Manifest]) -> Problems:
    for manifest in manifests:
        spec = manifest.get("spec", {})
        if manifest["kind"] == "Service":
            asked = [port["targetPort"] for port in spec["ports"]]
            selector = {"matchLabels": spec["selector"]}
        elif manifest["kind"] == "NetworkPolicy":
            asked = [p["port"] for r in spec.get("ingress", []) for p in r.get("ports", [])]
            selector = spec["podSelector"]
        else:
            continue
        for pod in selected(manifests, selector):
            for port in asked:
                if port not in pod.ports():
                    yield f"{_name(manifest)}: {pod.name} has no port {port}"


def the_image_listens_where_the_ports_are(manifests: list[Manifest]) -> Problems:
    listens = re.findall(
        r"SATBRIDGE_(SMTP|HTTP)_LISTEN=\S+:(\d+)", (ROOT / "Dockerfile").read_text()
    )
    for name, port in listens:
        for pod in pods(manifests):
            found = pod.ports().get(name.lower(), int(port))
            if found != int(port):
                yield f"{pod.name}: the port {name.lower()} is {found}, the image listens on {port}"


def probes_ask_real_ports(manifests: list[Manifest]) -> Problems:
    for pod in pods(manifests):
        main = pod.containers[0]
        if not {"readinessProbe", "livenessProbe"} <= main.keys() and pod.name != "migrate":
            yield f"{pod.name}: a probe of our own is missing"
        for container in pod.containers:
            for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
                how: Any = container.get(probe, {})
                where = how.get("tcpSocket") or how.get("httpGet")
                if where and where["port"] not in {*pod.ports(), AGENT_PORT}:
                    yield f"{pod.name}: {probe} asks port {where['port']}, which it does not have"


def settings_exist(manifests: list[Manifest]) -> Problems:
    known = {v for section in sections() for v in section.variables().values()}
    for name in _variables(manifests) - known:
        if name.startswith("SATBRIDGE_"):
            yield f"there is no setting {name}"
    given = {**_data(manifests, "ConfigMap"), **_data(manifests, "Secret")}
    for name in REQUIRED - given.keys():
        yield f"{name} is not set"
    if given.get("SATBRIDGE_DATABASE_URL", "").startswith("sqlite"):
        yield "SQLite cannot be shared by pods"
    if given.get("SATBRIDGE_MIGRATE") != "False":
        yield "every pod would migrate, not only the job"


def _variables(manifests: list[Manifest]) -> set[str]:
    inline = {name for pod in pods(manifests) for name in _environment(pod)}
    return {*_data(manifests, "ConfigMap"), *_data(manifests, "Secret"), *inline}


def no_secret_is_in_a_config_map(manifests: list[Manifest]) -> Problems:
    secret = {*_data(manifests, "Secret")}
    for name, value in _data(manifests, "ConfigMap").items():
        if name in secret or TELLING_NAME.search(name) or PASSWORD_IN_URL.search(value):
            yield f"{name} is a secret, and stands in a ConfigMap"


def versions_agree(manifests: list[Manifest]) -> Problems:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    ray = re.search(r"^ray==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert version
    assert ray
    for pod in pods(manifests):
        for container in pod.containers:
            name, _, tag = container["image"].rpartition(":")
            if name.endswith("satbridge") and tag != version[1]:
                yield f"{pod.name}: the image is {tag}, the project {version[1]}"
            if not name:
                yield f"{pod.name}: an image without a version"
    for cluster in (m for m in manifests if m["kind"] == "RayCluster"):
        if cluster["spec"]["rayVersion"] != ray[1]:
            yield f"rayVersion is {cluster['spec']['rayVersion']}, the lock file has {ray[1]}"


def containers_are_locked_up(manifests: list[Manifest]) -> Problems:
    for pod in pods(manifests):
        whole: Any = pod.spec.get("securityContext", {})
        if not whole.get("runAsNonRoot") or not whole.get("runAsUser"):
            yield f"{pod.name}: may run as root"
        if pod.spec.get("automountServiceAccountToken") is not False and not _is_gated(pod):
            yield f"{pod.name}: has a token of the API server"
        for container in pod.containers:
            own: Any = container.get("securityContext", {})
            if {key: own.get(key) for key in LOCKED} != LOCKED:
                yield f"{pod.name}: {container['name']} is not locked up"
            if not {"requests", "limits"} <= container.get("resources", {}).keys():
                yield f"{pod.name}: {container['name']} has no bounds"


def _is_gated(pod: Pod) -> bool:
    return pod.spec.get("serviceAccountName") == "mail-actor"


def references_exist(manifests: list[Manifest]) -> Problems:
    have = {(m["kind"], m["metadata"]["name"]) for m in manifests}
    for pod in pods(manifests):
        for kind, name in _references(pod):
            if (kind, name) not in have and name not in ELSEWHERE:
                yield f"{pod.name}: there is no {kind} {name}"
        if ("ServiceAccount", pod.spec.get("serviceAccountName")) not in have:
            yield f"{pod.name}: there is no such ServiceAccount"


def _references(pod: Pod) -> Iterator[tuple[str, str]]:
    for container in pod.containers:
        for one in container.get("envFrom", []):
            for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if key in one:
                    yield kind, one[key]["name"]
        for one in container.get("env", []):
            if "secretKeyRef" in one.get("valueFrom", {}):
                yield "Secret", one["valueFrom"]["secretKeyRef"]["name"]
        mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
        volumes = {volume["name"] for volume in pod.spec.get("volumes", [])}
        claimed = {"data"} if pod.name in ("postgres", "redis") else set()
        for name in mounted - volumes - claimed:
            yield "volume", name
    for volume in pod.spec.get("volumes", []):
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]


def _environment(pod: Pod) -> dict[str, str]:
    return {e["name"]: e.get("value", "") for c in pod.containers for e in c.get("env", [])}


def _data(manifests: list[Manifest], kind: str) -> dict[str, str]:
    found = find(manifests, kind, "satbridge")
    values: dict[str, str] = found.get("data") or found["stringData"]
    return values


def _name(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"
