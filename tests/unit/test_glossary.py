"""The words that `docs/glossary.md` rules out stand nowhere in code, texts or documents."""

import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.paths import ROOT

GLOSSARY = ROOT / "docs" / "glossary.md"
TEXT = GLOSSARY.read_text()

# Migrations keep the names of their time; the changelog quotes old names.
# The name of a setting stays: `SATBRIDGE_TENURE_SECONDS`.
SETTINGS = {"tenure_seconds"}
EXEMPT = ("messaging/store/migrations/", "_pb2.py", "docs/glossary.md", "CHANGELOG.md")

# A part of stored ids, which must never change, and a key of the JSON output of `status`.
STORED = {
    ("messaging/satellite/uplink.py", '"beacon"'),
    ("messaging/store/accept/decide.py", '"beacon"'),
}


def last_cells() -> Iterator[str]:
    for line in TEXT.splitlines():
        if line.startswith("|") and not line.startswith(("|---", "| term")):
            yield line.strip("|").split("|")[-1]


PROSE_RULES = TEXT[TEXT.index("## Prose") :]
NAMES = {name for cell in last_cells() for name in re.findall(r"`([a-z_]+)`", cell)}
WORDS = {
    word
    for cell in [*last_cells(), PROSE_RULES]
    for word in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", cell)
}
BANNED_WORD = re.compile(rf"\b({'|'.join(sorted(map(re.escape, WORDS)))})\b", re.IGNORECASE)


@cache
def tokens(source: str) -> list[tokenize.TokenInfo]:
    return list(tokenize.generate_tokens(io.StringIO(source).readline))


@cache
def parts_of(name: str) -> frozenset[str]:
    """Return the words of an identifier, in lower case, and the identifier itself."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower().strip("_")
    # A dead letter is a term of the glossary; a letter alone is not.
    return frozenset((*re.sub(r"dead_letters?", "", snake).split("_"), snake))


def banned_names(source: str) -> Iterator[tuple[int, str]]:
    for token in tokens(source):
        if token.string in SETTINGS:
            continue
        if token.type == tokenize.NAME and parts_of(token.string) & NAMES:
            yield token.start[0], token.string


def texts_of(source: str) -> Iterator[tuple[int, str]]:
    for token in tokens(source):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            for offset, line in enumerate(token.string.splitlines()):
                yield token.start[0] + offset, line


def is_exempt(path: Path) -> bool:
    name = path.relative_to(ROOT).as_posix()
    return any(exempt in name for exempt in EXEMPT)


def files(*patterns: str) -> list[Path]:
    found = {path for pattern in patterns for path in ROOT.glob(pattern)}
    return sorted(path for path in found if not is_exempt(path))


CODE = files("messaging/**/*.py")
DOCUMENTS = files("*.md", "docs/**/*.md")


def test_the_lists_are_read() -> None:
    assert {"tally", "desk", "keeper"} <= NAMES
    assert {"somebody", "roll call", "tenure"} <= WORDS


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("class MailDesk: ...", ["MailDesk"]),
        ("roll_call()", ["roll_call"]),
        ("x.tally_of = 1", ["tally_of"]),
        ("legend = desktop = 1", []),
        ("class DeadLetters(Letter): ...", ["Letter"]),
    ],
)
def test_a_banned_name_is_found(source: str, found: list[str]) -> None:
    assert [name for _, name in banned_names(source)] == found


def test_code_uses_the_terms_of_the_glossary() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in CODE
        for line, name in banned_names(path.read_text())
    ]
    assert wrong == []


def test_texts_in_code_use_the_terms_of_the_glossary() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {match.group()}"
        for path in CODE
        for line, text in texts_of(path.read_text())
        if (path.relative_to(ROOT).as_posix(), text) not in STORED
        for match in BANNED_WORD.finditer(text)
    ]
    assert wrong == []


def test_documents_use_the_terms_of_the_glossary() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {match.group()}"
        for path in DOCUMENTS
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for match in BANNED_WORD.finditer(line)
    ]
    assert wrong == []
