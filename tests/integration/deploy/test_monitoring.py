"""The alerts go off when they should, and everything they and the dashboard name is really exported."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from messaging.web.metrics import FIGURES
from tests.support.deploy.kustomize import Manifest, find
from tests.support.paths import ROOT

MONITORING = ROOT / "deploy" / "monitoring"
METRIC = re.compile(r"\bsatbridge_[a-z_]+\b")
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here")


def alerts() -> list[dict[str, Any]]:
    told = yaml.safe_load((MONITORING / "alerts.yaml").read_text())
    return [rule for group in told["groups"] for rule in group["rules"]]


def dashboard_expressions() -> list[str]:
    told = json.loads((MONITORING / "dashboard.json").read_text())
    return [target["expr"] for panel in told["panels"] for target in panel["targets"]]


def promtool(*arguments: str, folder: Path = MONITORING) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True)


@needs_promtool
def test_promtool_finds_the_rules_and_the_scrape_job_right(tmp_path: Path) -> None:
    checked = promtool("check", "rules", "--lint=all", "--lint-fatal", "alerts.yaml")
    assert checked.returncode == 0, checked.stderr
    for name in ("alerts.yaml", "prometheus.yaml"):
        shutil.copy(MONITORING / name, tmp_path)
    (tmp_path / "metrics-token").touch()
    assert promtool("check", "config", "prometheus.yaml", folder=tmp_path).returncode == 0


@needs_promtool
def test_each_alert_goes_off_when_it_should() -> None:
    done = promtool("test", "rules", "alerts_test.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("name", [rule["alert"] for rule in alerts()])
def test_the_tests_of_the_alerts_see_each_broken_one(tmp_path: Path, name: str) -> None:
    told = yaml.safe_load((MONITORING / "alerts.yaml").read_text())
    [broken] = (r for g in told["groups"] for r in g["rules"] if r["alert"] == name)
    broken["expr"] = f"({broken['expr']}) and vector(1) < 0"
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(told))
    shutil.copy(MONITORING / "alerts_test.yaml", tmp_path)
    assert promtool("test", "rules", "alerts_test.yaml", folder=tmp_path).returncode != 0


def test_every_alert_is_in_the_tests_once_silent_and_once_not() -> None:
    told = yaml.safe_load((MONITORING / "alerts_test.yaml").read_text())
    expected = [t for group in told["tests"] for t in group["alert_rule_test"]]
    names = {rule["alert"] for rule in alerts()}
    assert {t["alertname"] for t in expected if t["exp_alerts"]} == names
    assert {t["alertname"] for t in expected if not t["exp_alerts"]} == names


@needs_promtool
def test_prometheus_can_read_what_the_dashboard_asks(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{n}", "expr": e} for n, e in enumerate(dashboard_expressions())]
    told = {"groups": [{"name": "dashboard", "rules": rules}]}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(told))
    done = promtool("check", "rules", "rules.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stderr


def test_every_alert_has_a_chapter_in_the_handbook() -> None:
    chapters = re.findall(
        r"^#+ (Satbridge\w+)$", (ROOT / "docs/operations.md").read_text(), re.MULTILINE
    )
    assert chapters == [rule["alert"] for rule in alerts()]
    for rule in alerts():
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_the_service_monitor_finds_the_web_service_and_its_token(manifests: list[Manifest]) -> None:
    monitor = yaml.safe_load((MONITORING / "servicemonitor.yaml").read_text())
    [endpoint] = monitor["spec"]["endpoints"]
    web = find(manifests, "Service", "webhooks")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= web["metadata"]["labels"].items()
    assert endpoint["port"] in {port["name"] for port in web["spec"]["ports"]}
    token = endpoint["authorization"]["credentials"]
    assert token["key"] in find(manifests, "Secret", token["name"])["stringData"]


def test_the_example_of_certificates_makes_what_the_manifests_name(
    manifests: list[Manifest],
) -> None:
    told = list(yaml.safe_load_all((ROOT / "deploy/examples/cert-manager.yaml").read_text()))
    issuer, web, mail = told
    assert issuer["metadata"]["name"] == web["spec"]["issuerRef"]["name"]
    assert issuer["metadata"]["name"] == mail["spec"]["issuerRef"]["name"]
    proxy = find(manifests, "Deployment", "proxy")["spec"]["template"]["spec"]
    assert {"secretName": web["spec"]["secretName"]} in [v.get("secret") for v in proxy["volumes"]]
    cluster = find(manifests, "RayCluster", "satbridge")
    volumes = cluster["spec"]["workerGroupSpecs"][0]["template"]["spec"]["volumes"]
    assert mail["spec"]["secretName"] in {v.get("secret", {}).get("secretName") for v in volumes}


# tests/acceptance/test_metrics.py scrapes a running service, and finds all FIGURES in what it says.
LABELS = {figure.name: set(figure.labels) for figure in FIGURES}


@pytest.mark.parametrize("expression", [r["expr"] for r in alerts()] + dashboard_expressions())
def test_what_alerts_and_dashboard_name_is_exported_with_these_labels(expression: str) -> None:
    named = set(METRIC.findall(expression))
    assert named <= LABELS.keys()
    for metric in named:
        for grouped in re.findall(r"by \(([^)]*)\)", expression):
            assert set(grouped.split(", ")) <= LABELS[metric]
        matched = re.findall(metric + r"\{(\w+)", expression)
        assert set(matched) <= LABELS[metric]


def test_the_dashboard_shows_every_figure() -> None:
    assert set(METRIC.findall(" ".join(dashboard_expressions()))) == LABELS.keys()
