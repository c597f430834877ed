"""The table of docs/own-words.md is true."""

import re
from pathlib import Path
from statistics import median

import pytest

from messaging.mail.parse.mail import read_mail
from tests.support.own_words_corpus import CORPUS, load_corpus

DOCUMENT = (Path(__file__).parents[3] / "docs/own-words.md").read_text("utf-8")
ROWS = re.findall(r"^\| ([a-z0-9-]+) \| (\d+) \| (\d+) \| `(.*)` \|$", DOCUMENT, re.MULTILINE)


def test_the_table_has_ten_mails() -> None:
    assert len(ROWS) == 10


@pytest.mark.parametrize(("name", "whole", "shown", "words"), ROWS, ids=[row[0] for row in ROWS])
def test_a_mail_is_shown_as_the_table_says(name: str, whole: str, shown: str, words: str) -> None:
    parsed = read_mail((CORPUS / f"{name}.eml").read_bytes())
    assert parsed.text == words.replace("↵", "\n")
    assert len(parsed.whole_text.encode()) == int(whole)
    assert len(parsed.text.encode()) == int(shown)


def test_the_median_saving_is_as_the_page_says() -> None:
    mails = [read_mail(mail.data) for mail in load_corpus()]
    saving = median(1 - len(one.text.encode()) / len(one.whole_text.encode()) for one in mails)
    assert f"shrinks by {saving:.0%}".replace("%", " %") in DOCUMENT
