"""The optional gate: what is switched on by the component, and what the policy leaves open."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from messaging.gateway import sections
from tests.support.deploy import checks, ray_checks
from tests.support.deploy.kustomize import Manifest, find, render
from tests.support.deploy.schemas import schema_problems

POLICY = ("ValidatingAdmissionPolicy", "satbridge-mail-actor")


@pytest.fixture(scope="module")
def overlay(deploy_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("gated") / "deploy"
    shutil.copytree(deploy_folder, copy)
    folder = copy / "overlays" / "ha"
    with (folder / "kustomization.yaml").open("a") as file:
        file.write("components: [../../components/pod-label]\n")
    return folder


@pytest.fixture
def gated(overlay: Path) -> list[Manifest]:
    return render(overlay)


@pytest.mark.parametrize(
    "check",
    [
        checks.ports_exist,
        checks.references_exist,
        checks.containers_are_locked_up,
        checks.settings_exist,
        ray_checks.nobody_else_reaches_ray,
    ],
)
def test_it_fits_the_other_manifests(gated: list[Manifest], check: checks.Check) -> None:
    assert list(check(gated)) == []


def test_it_fits_the_schemas(gated: list[Manifest]) -> None:
    assert [problem for one in gated for problem in schema_problems(one)] == []


def test_the_service_asks_for_the_label_that_the_pods_set_besides_their_group(
    gated: list[Manifest],
) -> None:
    key = find(gated, "ConfigMap", "satbridge")["data"]["SATBRIDGE_POD_LABEL_NAME"]
    assert key in policy_text(gated)
    selector = find(gated, "Service", "mail")["spec"]["selector"]
    assert selector == {"ray.io/group": "smtp", key: "ready"}
    [section] = (s for s in sections() if s.__name__ == "PodLabel")
    assert section.model_fields["value"].default == selector[key]


def test_only_mail_pods_have_a_token_and_it_may_patch_pods_and_nothing_else(
    gated: list[Manifest],
) -> None:
    groups: Any = find(gated, "RayCluster", "satbridge")["spec"]["workerGroupSpecs"]
    accounts = {g["groupName"]: g["template"]["spec"]["serviceAccountName"] for g in groups}
    assert accounts == {"smtp": "mail-actor", "worker": "satbridge"}
    [rule] = find(gated, "Role", "mail-actor")["rules"]
    assert rule == {"apiGroups": [""], "resources": ["pods"], "verbs": ["patch"]}
    [subject] = find(gated, "RoleBinding", "mail-actor")["subjects"]
    account = f"system:serviceaccount:{subject['namespace']}:{subject['name']}"
    [condition] = find(gated, *POLICY)["spec"]["matchConditions"]
    assert f'"{account}"' in condition["expression"]


def test_the_policy_is_in_force_and_refuses_when_it_cannot_tell(gated: list[Manifest]) -> None:
    assert find(gated, *POLICY)["spec"]["failurePolicy"] == "Fail"
    binding = find(gated, "ValidatingAdmissionPolicyBinding", POLICY[1])["spec"]
    assert binding == {"policyName": POLICY[1], "validationActions": ["Deny"]}


def policy_text(manifests: list[Manifest]) -> str:
    return yaml.safe_dump(find(manifests, *POLICY))
