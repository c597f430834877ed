"""Time zones and languages are read as people type them; an error names the nearest zones."""

from datetime import UTC

import pytest

from messaging.model.locale import Locale, language_code, time_zone_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (" europe/berlin ", "Europe/Berlin"),
        ("America/New York", "America/New_York"),
        ("utc", "UTC"),
    ],
)
def test_a_time_zone_is_read_in_any_case(text: str, name: str) -> None:
    assert time_zone_name(text) == name


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("Berlin", "Europe/Berlin"),
        ("Europe/Berln", "Europe/Berlin"),
        ("Aukland", "Pacific/Auckland"),
        ("", "Europe/Berlin"),
        ("../../etc/passwd", "did you mean"),
    ],
)
def test_an_error_names_the_nearest_zones(text: str, near: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone") as caught:
        time_zone_name(text)
    assert near in str(caught.value)


def test_a_language_is_a_code() -> None:
    assert (language_code("DE"), language_code("pt_BR")) == ("de", "pt-br")
    for text in ("german", "", "d", "de-" + "x" * 20):
        with pytest.raises(ValueError, match="is not a language code such as en or de"):
            language_code(text)


def test_a_zone_that_this_machine_does_not_know_is_utc() -> None:
    assert Locale("Mars/Olympus").zone is UTC
    assert Locale("").zone is UTC
    assert Locale("../zoneinfo").zone is UTC
