"""Every example and every table in the documents is true."""

import re
import shlex
from typing import Any

import pytest
from pydantic import SecretStr
from typer.main import get_command
from typer.testing import CliRunner

from messaging.cli.app import app
from messaging.gateway import sections
from messaging.satellite.providers import ACCOUNTS as SATELLITES
from messaging.sms.providers import ACCOUNTS as TEXTS
from tests.support.paths import ROOT

ROW = re.compile(r"^\| (`SATBRIDGE_[^|]*) \| [^|]+ \| ([^|]*) \|$", re.MULTILINE)


def rows(document: str) -> dict[str, str]:
    """The default that a document gives for each variable."""
    found = {}
    for names, default in ROW.findall((ROOT / document).read_text().replace("\\|", "/")):
        for name in re.findall(r"`(SATBRIDGE_\w+)`", names):
            assert name not in found, f"{name} stands twice in {document}"
            found[name] = default.strip()
    return found


def actual() -> dict[str, str | None]:
    """The default of each variable, as the document writes it; None where it is said in words."""
    return {
        variable: _written(section.model_fields[field])
        for section in sections()
        for field, variable in section.variables().items()
    }


def _written(field: Any) -> str | None:
    if field.is_required():
        return "required"
    default = field.get_default()
    if default is None or isinstance(default, SecretStr):
        return None
    return f"`{default}`"


def test_the_settings_document_has_every_setting_and_no_other() -> None:
    assert rows("docs/settings.md").keys() == actual().keys()


def test_the_settings_document_gives_the_true_defaults() -> None:
    told = rows("docs/settings.md")
    wrong = {n: (told[n], d) for n, d in actual().items() if d is not None and told[n] != d}
    assert wrong == {}


def test_the_readme_names_settings_that_exist_with_their_defaults() -> None:
    defaults = actual()
    for name, told in rows("README.md").items():
        assert name in defaults
        assert told == defaults[name] or not told.startswith("`") or defaults[name] is None


def test_every_file_that_a_document_links_to_exists() -> None:
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_every_file_on_the_way_of_a_mail_exists() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    files = re.findall(r"`([a-z_/]+\.py)`", page)
    assert len(files) > 20
    missing = [name for name in files if not (ROOT / "messaging" / name).is_file()]
    assert missing == []


COMMAND = re.compile(r"^satbridge +(.*?)(?: +#.*)?$", re.MULTILINE)


def commands() -> list[list[str]]:
    """Every command line of the README, operations, plain text and the networks' pages, in words."""
    documents = [
        ROOT / "README.md",
        ROOT / "docs/operations.md",
        ROOT / "docs/plain-text.md",
        ROOT / "docs/own-words.md",
        ROOT / "docs/budgets.md",
        *ROOT.glob("docs/networks/*.md"),
    ]
    lines = [line for document in documents for line in COMMAND.findall(document.read_text())]
    return [shlex.split(line) for line in lines]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_in_the_documents_is_understood(words: list[str]) -> None:
    # With --help at the end, arguments and options before it are parsed and nothing is done.
    outcome = CliRunner().invoke(app, [*words, "--help"])
    assert outcome.exit_code == 0, outcome.output


def test_every_command_that_exists_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    root: Any = get_command(app)
    for name in root.commands:
        assert re.search(rf"`(satbridge |make )?{name}|, `{name}", text), name


def test_the_readme_has_a_page_and_a_simulator_of_every_network() -> None:
    text = (ROOT / "README.md").read_text()
    root: Any = get_command(app)
    simulated = root.commands["simulate"].load().commands
    for name in {*SATELLITES, *TEXTS}:
        assert f"](docs/networks/{name}.md)" in text, name
        assert f"`satbridge simulate {name}`" in text, name
    for name in simulated:
        assert re.search(rf"`(satbridge simulate )?{name}`", text), name
