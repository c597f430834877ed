"""The document says how much code each network took."""

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
    name, *told = row
    counted = (
        lines(f"messaging/*/providers/{name}/**/*.py"),
        lines(f"messaging/simulator/{name}/**/*.py"),
        lines(f"tests/**/*{name}*.py", f"tests/**/{name}/*.py"),
    )
    for said, found in zip(map(int, told), counted, strict=True):
        assert abs(said - found) <= TOLERANCE * found, f"{name}: {said}, but {found}"
