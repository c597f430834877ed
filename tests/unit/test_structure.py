"""Rules of the source that no linter knows."""

import ast
from collections.abc import Iterator

import pytest

from tests.support.longest_first import FIRST
from tests.support.paths import ROOT

PATCHES = ("setattr", "delattr", "setitem", "delitem")


def product_names(tree: ast.Module) -> set[str]:
    """Return the names that the imports of a test bind to modules, classes and functions of the product."""
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("messaging"))
        or isinstance(node, ast.Import)
        for alias in node.names
        if isinstance(node, ast.ImportFrom) or alias.name.startswith("messaging")
    }


def patched_targets(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield the objects whose attributes a test replaces."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="monkeypatch"), attr=attr)):
                if attr in PATCHES:
                    yield node.args[0]
            case ast.Assign(targets=targets):
                yield from (one.value for one in targets if isinstance(one, ast.Attribute))
            case ast.AugAssign(target=ast.Attribute(value=value)):
                yield value


def patches(source: str) -> list[str]:
    """Return the patches of the product's code that a test makes."""
    tree = ast.parse(source)
    product = product_names(tree)
    found = []
    for target in patched_targets(tree):
        # A text of `setattr` names its target in quotes.
        text = ast.unparse(target).strip("'")
        name = text.partition(".")[0]
        if name in product or name == "messaging":
            found.append(f"{target.lineno}: {text}")
    return found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("monkeypatch.setattr('messaging.errors.LIMIT', 1)", ["1: messaging.errors.LIMIT"]),
        ("from messaging import errors as e\nmonkeypatch.setattr(e, 'LIMIT', 1)", ["2: e"]),
        ("import messaging.errors\nmessaging.errors.LIMIT = 1", ["2: messaging.errors"]),
        ("from messaging.a import B\nB.size += 1", ["2: B"]),
        ("import tempfile\nmonkeypatch.setattr(tempfile, 'tempdir', None)", []),
        ("from messaging.a import B\nb = B()\nb.size = 1\nmonkeypatch.setenv('B', '1')", []),
    ],
)
def test_a_patch_is_found(source: str, found: list[str]) -> None:
    assert patches(source) == found


def test_no_test_patches_the_product() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{patch}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for patch in patches(path.read_text())
    ]
    assert wrong == []


def test_the_tests_that_come_first_are_where_the_list_says() -> None:
    assert [place for place in FIRST if not (ROOT / place).exists()] == []
