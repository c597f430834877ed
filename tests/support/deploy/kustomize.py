"""Renders what our kustomizations use of kustomize, so that the manifests can be tested where there is no kubectl."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
CLUSTER_WIDE = {
    "Namespace",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ClusterIssuer",
}
KNOWN = {
    "apiVersion",
    "kind",
    "namespace",
    "resources",
    "components",
    "generatorOptions",
    "configMapGenerator",
    "secretGenerator",
    "images",
    "patches",
}


def render(folder: Path) -> list[Manifest]:
    """Return the manifests of a kustomization. Fails on what it does not know, rather than leaving it out."""
    return _built(folder, [])


def _built(folder: Path, manifests: list[Manifest]) -> list[Manifest]:
    told = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert set(told) <= KNOWN, set(told) - KNOWN
    manifests = [*manifests, *_resources(folder, told.get("resources", []))]
    for kind in ("ConfigMap", "Secret"):
        for one in told.get(kind[0].lower() + kind[1:] + "Generator", []):
            _generate(folder, kind, one, manifests)
    for patch in told.get("patches", []):
        _patch(folder, patch, manifests)
    for component in told.get("components", []):
        manifests = _built(folder / component, manifests)
    for image in told.get("images", []):
        _name_image(image, manifests)
    for manifest in manifests:
        if "namespace" in told and manifest["kind"] not in CLUSTER_WIDE:
            _put_in(told["namespace"], manifest)
    return manifests


def _put_in(namespace: str, manifest: Manifest) -> None:
    manifest["metadata"]["namespace"] = namespace
    for subject in manifest.get("subjects", []):
        subject["namespace"] = namespace


def _resources(folder: Path, names: list[str]) -> Iterator[Manifest]:
    for name in names:
        if (folder / name).is_dir():
            yield from render(folder / name)
        else:
            yield from yaml.safe_load_all((folder / name).read_text())


def _generate(folder: Path, kind: str, told: Manifest, manifests: list[Manifest]) -> None:
    field = "data" if kind == "ConfigMap" else "stringData"
    values: dict[str, str] = {}
    for name in told.get("envs", []):
        lines = (folder / name).read_text().splitlines()
        values |= dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    for name in told.get("files", []):
        values[Path(name).name] = (folder / name).read_text()
    if told.get("behavior") == "merge":
        found = find(manifests, kind, told["name"])
        found[field] |= values
    else:
        labels = told.get("options", {}).get("labels", {})
        head = {"apiVersion": "v1", "kind": kind, "metadata": {"name": told["name"]}}
        if labels:
            head["metadata"]["labels"] = labels  # type: ignore[index]
        manifests.append({**head, field: values})


def _patch(folder: Path, told: Manifest, manifests: list[Manifest]) -> None:
    target = find(manifests, told["target"]["kind"], told["target"]["name"])
    operations = yaml.safe_load(
        told["patch"] if "patch" in told else (folder / told["path"]).read_text()
    )
    for operation in operations:
        _apply(operation, target)


def _apply(operation: Manifest, target: Any) -> None:
    """RFC 6902, `add` and `replace`."""
    *path, last = (one.replace("~1", "/") for one in operation["path"].split("/")[1:])
    for one in path:
        target = target[int(one)] if isinstance(target, list) else target[one]
    if isinstance(target, list):
        assert operation["op"] == "add"
        assert last == "-"
        target.append(operation["value"])
        return
    assert operation["op"] == "add" or last in target, operation["path"]
    target[last] = operation["value"]


def _name_image(image: Manifest, node: Any) -> None:
    if isinstance(node, list):
        for one in node:
            _name_image(image, one)
    elif isinstance(node, dict):
        if node.get("image") == image["name"]:
            node["image"] = f"{image['newName']}:{image['newTag']}"
        for one in node.values():
            _name_image(image, one)


def find(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    """Return the one manifest of this kind and name."""
    [found] = (m for m in manifests if m["kind"] == kind and m["metadata"]["name"] == name)
    return found
