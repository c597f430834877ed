"""Checks a manifest against the schema of its kind: Kubernetes' own, and KubeRay's where that is at hand."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator

from tests.support.deploy.kustomize import Manifest
from tests.support.paths import ROOT

KUBERNETES = "1.36"
CRDS = Path(os.environ.get("KUBERAY_CRD_DIR", ROOT.parent / "shared" / "kuberay-crds"))
# Kinds of Prometheus' operator and of cert-manager, whose definitions are not at hand.
FOREIGN = {"ServiceMonitor", "ClusterIssuer", "Certificate"}


def schema_problems(manifest: Manifest) -> list[str]:
    """Return what the schema of Kubernetes says. Ray's kinds are `ray_problems`' affair."""
    if manifest["kind"] in FOREIGN or manifest["apiVersion"].startswith("ray.io/"):
        return []
    try:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{manifest['kind']} {manifest['metadata']['name']}: {error.message}"]
    return []


def ray_problems(manifest: Manifest) -> list[str]:
    """Return what the definition of KubeRay says."""
    plural = manifest["kind"].lower() + "s"
    errors = Draft202012Validator(_ray_schema(plural)).iter_errors(manifest)
    return [f"{error.json_path}: {error.message}" for error in errors]


@cache
def _ray_schema(plural: str) -> Any:
    definition = yaml.safe_load((CRDS / f"ray.io_{plural}.yaml").read_text())
    [version] = (v for v in definition["spec"]["versions"] if v["name"] == "v1")
    return _closed(version["schema"]["openAPIV3Schema"], top=True)


def _closed(schema: Any, *, top: bool = False) -> Any:
    """As the API server reads it: unknown fields are refused, defaults are filled in before `required` counts."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    made = {key: _closed(value) for key, value in schema.items()}
    properties = schema.get("properties")
    if isinstance(properties, dict):
        made["properties"] = {name: _closed(one) for name, one in properties.items()}
        open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or top
        if not open_ended and "additionalProperties" not in schema:
            made["additionalProperties"] = False
        needed = schema.get("required", [])
        made["required"] = [n for n in needed if "default" not in properties.get(n, {})]
    if schema.get("nullable") and "type" in schema:
        made["type"] = [schema["type"], "null"]
    return made
