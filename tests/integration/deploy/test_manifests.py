"""The manifests fit together; and every check sees the fault that it is there for."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.deploy import checks, ending_checks, ray_checks
from tests.support.deploy.checks import Check
from tests.support.deploy.kustomize import Manifest, find, render
from tests.support.deploy.schemas import CRDS, ray_problems, schema_problems

CHECKS: tuple[Check, ...] = (
    checks.selectors_meet_pods,
    checks.ports_exist,
    checks.the_image_listens_where_the_ports_are,
    checks.probes_ask_real_ports,
    ending_checks.mail_pods_drain_before_ray_ends_them,
    ending_checks.the_grace_period_outlasts_the_drain,
    ending_checks.drains_are_noticed_before_the_port_closes,
    ending_checks.the_nodes_have_the_environment_that_the_page_asks_for,
    ending_checks.nothing_runs_on_the_head,
    ending_checks.what_was_taken_down_stays_down,
    checks.settings_exist,
    checks.no_secret_is_in_a_config_map,
    checks.versions_agree,
    checks.containers_are_locked_up,
    checks.references_exist,
    ray_checks.the_operator_takes_it,
    ray_checks.each_mail_pod_has_one_place_for_mail,
    ray_checks.the_driver_shares_what_the_head_has,
    ray_checks.nobody_else_reaches_ray,
)
NAMES = [check.__name__ for check in CHECKS]
needs_crds = pytest.mark.skipif(not CRDS.is_dir(), reason="KubeRay's definitions are not here")


@pytest.mark.parametrize("check", CHECKS, ids=NAMES)
def test_the_manifests_have_no_fault(manifests: list[Manifest], check: Check) -> None:
    assert list(check(manifests)) == []


def test_every_manifest_fits_the_schema_of_its_kind(manifests: list[Manifest]) -> None:
    assert [p for manifest in manifests for p in schema_problems(manifest)] == []


@needs_crds
def test_the_ray_cluster_fits_the_definition_of_kuberay(manifests: list[Manifest]) -> None:
    assert ray_problems(find(manifests, "RayCluster", "satbridge")) == []


@needs_crds
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec/workerGroupSpecs/0/groupNam", "smtp"),
        ("spec/workerGroupSpecs/0/replicas", "two"),
        ("spec/authOptions/mode", "on"),
        ("spec/headGroupSpec/template/spec/containers/0/imag", "x"),
    ],
)
def test_the_definition_of_kuberay_sees_a_fault(ha: list[Manifest], path: str, value: str) -> None:
    cluster = find(ha, "RayCluster", "satbridge")
    put(cluster, path, value)
    assert ray_problems(cluster)


@pytest.mark.parametrize(
    ("kind", "name", "path", "value"),
    [
        ("Service", "mail", "spec/typ", "LoadBalancer"),
        ("Job", "migrate", "spec/template/spec/containers/0/args", "manage"),
        ("PodDisruptionBudget", "smtp", "spec/minAvailable", [1]),
        ("NetworkPolicy", "mail-in", "spec/ingress/0/port", 7420),
    ],
)
def test_a_schema_sees_a_fault(
    ha: list[Manifest], kind: str, name: str, path: str, value: Any
) -> None:
    manifest = find(ha, kind, name)
    put(manifest, path, value)
    assert schema_problems(manifest)


def test_the_world_reaches_tls_the_redirect_and_mail_only(manifests: list[Manifest]) -> None:
    assert not [one for one in manifests if one["kind"] == "Ingress"]
    balanced = {
        (one["metadata"]["name"], port["port"], port["targetPort"])
        for one in manifests
        if one["kind"] == "Service" and one["spec"].get("type") == "LoadBalancer"
        for port in one["spec"]["ports"]
    }
    wanted = {("mail", 25, "smtp"), ("web", 443, "https"), ("web", 80, "plain")}
    assert balanced == wanted
    named = [one for one in manifests if one["kind"] in ("Service", "NetworkPolicy")]
    assert "8001" not in json.dumps(named)


def test_https_to_the_cluster_itself_is_not_allowed(manifests: list[Manifest]) -> None:
    policy = find(manifests, "NetworkPolicy", "networks-out")
    [rule] = policy["spec"]["egress"]
    assert rule["ports"] == [{"port": 443}]
    excepted = {one["ipBlock"]["cidr"]: set(one["ipBlock"]["except"]) for one in rule["to"]}
    assert excepted["0.0.0.0/0"] >= {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}
    assert excepted["::/0"] >= {"fc00::/7"}
    for one in manifests:
        if one["kind"] == "NetworkPolicy" and one["metadata"]["name"] != "networks-out":
            for other in one["spec"].get("egress", []):
                wide = any("ipBlock" in peer for peer in other.get("to", []))
                assert not (wide and {"port": 443} in other["ports"]), one["metadata"]["name"]


CLUSTER = ("RayCluster", "satbridge")
HEAD = "spec/headGroupSpec/template/spec"
MAIL = "spec/workerGroupSpecs/0"
MAIL_POD = f"{MAIL}/template/spec"
WEB_POD = "spec/workerGroupSpecs/1/template/spec"
MAIL_HOOK = f"{MAIL_POD}/containers/0/lifecycle/preStop/exec"
HOOK = {"preStop": {"exec": {"command": ["satbridge", "prepare-for-shutdown"]}}}
FAULTS = [
    ("selectors_meet_pods", ("Service", "mail"), "spec/selector", {"ray.io/group": "mail"}),
    ("selectors_meet_pods", ("PodDisruptionBudget", "smtp"), "spec/selector", {"matchLabels": {"a": "b"}}),
    ("selectors_meet_pods", ("NetworkPolicy", "web-in"), "spec/podSelector", {"matchLabels": {"a": "b"}}),
    ("ports_exist", ("Service", "mail"), "spec/ports/0/targetPort", "smpt"),
    ("ports_exist", ("Service", "web"), "spec/ports/0/targetPort", 8001),
    ("ports_exist", ("NetworkPolicy", "mail-in"), "spec/ingress/0/ports/0/port", 25),
    ("the_image_listens_where_the_ports_are", CLUSTER, f"{MAIL_POD}/containers/0/ports/0/containerPort", 2525),
    ("probes_ask_real_ports", CLUSTER, f"{WEB_POD}/containers/0/readinessProbe/httpGet/port", "smtp"),
    ("probes_ask_real_ports", CLUSTER, f"{MAIL_POD}/containers/0/livenessProbe", None),
    ("mail_pods_drain_before_ray_ends_them", CLUSTER, f"{MAIL_POD}/containers/0/lifecycle", {}),
    ("mail_pods_drain_before_ray_ends_them", CLUSTER, f"{MAIL_HOOK}/command/1", "down"),
    ("mail_pods_drain_before_ray_ends_them", CLUSTER, f"{WEB_POD}/containers/0/lifecycle", HOOK),
    ("the_grace_period_outlasts_the_drain", CLUSTER, f"{MAIL_POD}/terminationGracePeriodSeconds", 85),
    ("the_grace_period_outlasts_the_drain", CLUSTER, f"{WEB_POD}/terminationGracePeriodSeconds", 15),
    ("the_grace_period_outlasts_the_drain", CLUSTER, f"{MAIL_POD}/containers/0/env", []),
    ("the_grace_period_outlasts_the_drain", CLUSTER, f"{MAIL_POD}/containers/0/env/0/value", "30"),
    ("the_grace_period_outlasts_the_drain", ("ConfigMap", "satbridge"), "data/SATBRIDGE_DRAIN_SECONDS", "60"),
    ("drains_are_noticed_before_the_port_closes", CLUSTER, f"{MAIL_POD}/containers/0/readinessProbe/periodSeconds", 10),
    ("drains_are_noticed_before_the_port_closes", ("ConfigMap", "satbridge"), "data/SATBRIDGE_UNREADY_SECONDS", "5"),
    ("the_nodes_have_the_environment_that_the_page_asks_for", CLUSTER, f"{WEB_POD}/containers/0/env/1/value", "60"),
    ("the_nodes_have_the_environment_that_the_page_asks_for", CLUSTER, f"{HEAD}/containers/0/env/0", {"name": "X"}),
    ("nothing_runs_on_the_head", CLUSTER, "spec/headGroupSpec/rayStartParams/num-cpus", "2"),
    ("nothing_runs_on_the_head", ("ConfigMap", "satbridge"), "data/SATBRIDGE_WORKER_CPUS", "0"),
    ("what_was_taken_down_stays_down", CLUSTER, f"{HEAD}/containers/1/command", ["satbridge", "up"]),
    ("settings_exist", ("ConfigMap", "satbridge"), "data/SATBRIDGE_MAIL_DOMAN", "example.org"),
    ("settings_exist", ("ConfigMap", "satbridge"), "data/SATBRIDGE_PUBLIC_URL", None),
    ("settings_exist", ("ConfigMap", "satbridge"), "data/SATBRIDGE_MIGRATE", "True"),
    ("settings_exist", ("Secret", "satbridge"), "stringData/SATBRIDGE_DATABASE_URL", "sqlite:///x"),
    ("settings_exist", CLUSTER, f"{HEAD}/containers/1/env/0/name", "SATBRIDGE_RAY"),
    ("no_secret_is_in_a_config_map", ("ConfigMap", "satbridge"), "data/SATBRIDGE_SECRET_KEY", "x"),
    ("no_secret_is_in_a_config_map", ("ConfigMap", "satbridge"), "data/SATBRIDGE_HIVE_PASSWORD", "x"),
    ("no_secret_is_in_a_config_map", ("ConfigMap", "satbridge"), "data/SATBRIDGE_X", "smtp://a:b@c"),
    ("versions_agree", CLUSTER, "spec/rayVersion", "2.59.0"),
    ("versions_agree", CLUSTER, f"{MAIL_POD}/containers/0/image", "satbridge:0.0.9"),
    ("versions_agree", CLUSTER, f"{MAIL_POD}/containers/0/image", "satbridge"),
    ("containers_are_locked_up", CLUSTER, f"{MAIL_POD}/securityContext/runAsNonRoot", False),
    ("containers_are_locked_up", CLUSTER, f"{HEAD}/automountServiceAccountToken", True),
    ("containers_are_locked_up", ("Job", "migrate"), "spec/template/spec/containers/0/securityContext", {}),
    ("containers_are_locked_up", ("Job", "migrate"), "spec/template/spec/containers/0/resources", {}),
    ("references_exist", CLUSTER, f"{HEAD}/containers/0/envFrom/1/secretRef/name", "other"),
    ("references_exist", CLUSTER, f"{HEAD}/volumes", [{"name": "tmp", "emptyDir": {}}]),
    ("references_exist", CLUSTER, f"{HEAD}/serviceAccountName", "other"),
    ("the_operator_takes_it", CLUSTER, "spec/authOptions/mode", "disabled"),
    ("the_operator_takes_it", CLUSTER, "spec/gcsFaultToleranceOptions/externalStorageNamespace", "x"),
    ("the_operator_takes_it", CLUSTER, f"{MAIL}/replicas", 9),
    ("the_operator_takes_it", CLUSTER, "metadata/name", "Satbridge"),
    ("each_mail_pod_has_one_place_for_mail", CLUSTER, f"{MAIL}/rayStartParams/resources", '{"smtp": 1}'),
    ("each_mail_pod_has_one_place_for_mail", CLUSTER, f"{MAIL}/rayStartParams", {}),
    ("the_driver_shares_what_the_head_has", CLUSTER, f"{HEAD}/containers/1/volumeMounts", []),
    ("the_driver_shares_what_the_head_has", CLUSTER, f"{HEAD}/shareProcessNamespace", False),
    ("the_driver_shares_what_the_head_has", CLUSTER, f"{MAIL_POD}/volumes", []),
    ("nobody_else_reaches_ray", ("NetworkPolicy", "default-deny"), "spec/ingress", [{}]),
    ("nobody_else_reaches_ray", ("NetworkPolicy", "mail-in"), "spec/ingress/0/ports/0/port", 10001),
    ("nobody_else_reaches_ray", ("NetworkPolicy", "web-in"), "spec/ingress", [{}]),
]  # fmt: skip


@pytest.mark.parametrize(("check", "where", "path", "value"), FAULTS)
def test_each_check_sees_its_fault(
    ha: list[Manifest], check: str, where: tuple[str, str], path: str, value: Any
) -> None:
    put(find(ha, *where), path, value)
    assert list(CHECKS[NAMES.index(check)](ha))


def test_every_check_has_been_seen_to_fail() -> None:
    assert {fault[0] for fault in FAULTS} == set(NAMES)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not here")
@pytest.mark.parametrize("overlay", ["small", "ha"])
def test_kubectl_renders_the_same(deploy_folder: Path, overlay: str) -> None:
    folder = deploy_folder / "overlays" / overlay
    text = subprocess.run(["kubectl", "kustomize", folder], check=True, capture_output=True).stdout
    theirs = [_plain(one) for one in yaml.safe_load_all(text)]
    ours = [_plain(one) for one in render(folder)]
    assert sorted(ours) == sorted(theirs)


def _plain(manifest: Manifest) -> str:
    """Secrets are written in base64 by the one and plainly by the other."""
    hidden = {k: v for k, v in manifest.items() if k not in ("data", "stringData", "type")}
    told = manifest.get("data") or manifest.get("stringData") or {}
    return json.dumps({**hidden, "data": sorted(told)}, sort_keys=True)


def put(target: Any, path: str, value: Any) -> None:
    """Set one place; None takes it away."""
    *way, last = path.split("/")
    for one in way:
        target = target[int(one)] if isinstance(target, list) else target[one]
    if value is None:
        del target[last]
    elif isinstance(target, list):
        target[int(last)] = value
    else:
        target[last] = value
