"""A display name is shown short and plain, and not where it imitates an address, a number or a contact."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.words.device.display_name import (
    MAX_DISPLAY_NAME_CHARS,
    display_name_to_show,
    names_that_it_imitates,
)

RELAY = "x7f3@relay.example"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Ann Smith", "Ann Smith"),
        ("Smith, Ann", "Smith, Ann"),
        ("  Ann\u200b \u202eSmith ", "Ann Smith"),
        ("'Ann Smith' via Google Groups", "Ann Smith"),
        ("Ann Smith über Kleinanzeigen", "Ann Smith"),
        ("Jean-Luc d’Arc", "Jean-Luc d’Arc"),
        ("Dr. J. R. Smith", "Dr. J. R. Smith"),
        ("Søren Kierkegård", "Søren Kierkegård"),
        ("Анна Петрова", "Анна Петрова"),
        ("山田太郎", "山田太郎"),
        ("Harbour Office of the Isle of Mull", "Harbour Office of the"),
        ("Donaudampfschifffahrtsgesellschaft", "Donaudampfschifffahrtsge"),
    ],
)
def test_a_name_is_shown_short_and_plain(written: str, name: str) -> None:
    assert display_name_to_show(written, RELAY) == name


@pytest.mark.parametrize(
    "written",
    [
        "",
        "A",
        "mum@home.org",
        "mum＠home.org",
        "mum at home.org",
        "+15551230000",
        "@mum",
        "Mum <mum",
        "www.example.org",
        "Mum (your mother)",
        "M\u0443m",  # a Cyrillic letter among Latin ones
        "AIice",
        "S\u0301\u0302\u0303\u0304am",
        "😀 Ann",
        "\U000f0000Ann",
        "Ann: call",
        "1/2",
    ],
)
def test_a_name_that_imitates_is_not_shown(written: str) -> None:
    assert display_name_to_show(written, RELAY) == ""


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("Ann Smith", "ann.smith@example.net"),
        ("Ann Smith", "asmith@example.net"),
        ("Zoë", "zoe@example.net"),
        ("Harbour Office", "info@harbour.example"),
    ],
)
def test_a_name_that_the_address_tells_is_not_paid_for(written: str, address: str) -> None:
    assert display_name_to_show(written, address) == ""


@pytest.mark.parametrize(
    ("written", "contact"),
    [
        ("Mum", "mum"),
        ("MUM", "mum"),
        ("Mum Smith", "mum"),
        ("M u m", "mum"),
        ("Ann Smith", "ann.smith"),
        ("Ann B Smith", "ann-smith"),
        ("Zoë", "zoe"),
        ("Iinda", "linda"),
        ("Søren", "soren"),
        ("сосо", "coco"),
    ],
)
def test_the_contacts_that_a_name_imitates(written: str, contact: str) -> None:
    assert contact in names_that_it_imitates(written)


@given(st.text(max_size=300))
def test_any_name_is_short_visible_and_on_one_line(text: str) -> None:
    name = display_name_to_show(text, RELAY)
    assert len(name) <= MAX_DISPLAY_NAME_CHARS
    assert not set(name) & set("@<>()[]{}:;/\\|+#*\n\r\t0123456789")
    assert all(unicodedata.category(one)[0] in "LMPZ" for one in name)
    assert all(one and one.isascii() for one in names_that_it_imitates(text))
