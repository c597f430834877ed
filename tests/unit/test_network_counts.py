"""Each provider has its fixed places, and the document about adding one states its lines of code."""

import re

import pytest

from messaging.satellite.providers import ACCOUNTS as SATELLITES
from messaging.sms.providers import ACCOUNTS as TEXTS
from tests.support.documents.adding_document import TEXT
from tests.support.paths import ROOT

COUNTED = re.compile(r"^\| `(\w+)` \| (\d+) \| (\d+) \| (\d+) \|", re.MULTILINE)


TOLERANCE = 0.2


def lines(*patterns: str) -> int:
    files = {file for pattern in patterns for file in ROOT.glob(pattern)}
    return sum(len(file.read_text().splitlines()) for file in files)


def test_every_network_is_counted() -> None:
    assert {row[0] for row in COUNTED.findall(TEXT)} == {*SATELLITES, *TEXTS}


@pytest.mark.parametrize("row", COUNTED.findall(TEXT), ids=lambda row: row[0])
def test_the_counts_are_about_right(row: tuple[str, str, str, str]) -> None:
    name, *stated = row
    counted = (
        lines(f"messaging/*/providers/{name}/**/*.py"),
        lines(f"messaging/simulator/{name}/**/*.py"),
        lines(f"tests/**/*{name}*.py", f"tests/**/{name}/*.py"),
    )
    for lines_stated, found in zip(map(int, stated), counted, strict=True):
        assert abs(lines_stated - found) <= TOLERANCE * found, (
            f"{name}: {lines_stated}, but {found}"
        )


@pytest.mark.parametrize(
    ("name", "network"),
    [*((name, "satellite") for name in SATELLITES), *((name, "sms") for name in TEXTS)],
)
def test_a_provider_has_one_folder_one_simulator_one_line_and_one_page(
    name: str, network: str
) -> None:
    registration = (ROOT / f"messaging/{network}/providers/__init__.py").read_text()
    assert (ROOT / f"messaging/{network}/providers/{name}/account.py").is_file()
    assert (ROOT / f"messaging/{network}/providers/{name}/client.py").is_file()
    assert (ROOT / f"messaging/simulator/{name}/server.py").is_file()
    assert (ROOT / f"docs/networks/{name}.md").is_file()
    assert len(re.findall(rf"providers\.{name}\.", registration)) == 1


def test_every_folder_belongs_to_a_provider() -> None:
    folders = {path.parent.name for path in ROOT.glob("messaging/*/providers/*/__init__.py")}
    assert folders == {*SATELLITES, *TEXTS}
