"""An invitation is described in the language and the time zone of the reader."""

from datetime import UTC, datetime

import pytest

from messaging.model.invitation import EventTime, Invitation
from messaging.model.locale import Locale
from messaging.words.device.invitation import describe, is_told_by, localise

NOON = EventTime(datetime(2026, 12, 1, 12, 0, tzinfo=UTC))
ONE = EventTime(datetime(2026, 12, 1, 13, 0, tzinfo=UTC))
CREW = Invitation("Crew change", NOON, ONE, "Pier 3", "REQUEST")
BERLIN = Locale("Europe/Berlin", "de")


@pytest.mark.parametrize(
    ("locale", "lines"),
    [
        (None, ["Invitation: Crew change", "2026-12-01 12:00 - 13:00 UTC", "Pier 3"]),
        (BERLIN, ["Einladung: Crew change", "2026-12-01 13:00 - 14:00 CET", "Pier 3"]),
        (
            Locale("Pacific/Auckland"),
            ["Invitation: Crew change", "2026-12-02 01:00 - 02:00 NZDT", "Pier 3"],
        ),
        (
            Locale("America/Sao_Paulo", "pt-br"),
            ["Invitation: Crew change", "2026-12-01 09:00 - 10:00 UTC-03", "Pier 3"],
        ),
    ],
)
def test_is_described_for_the_reader(locale: Locale | None, lines: list[str]) -> None:
    assert describe(CREW, locale) == lines


def test_days_are_the_same_everywhere_and_the_last_one_is_named() -> None:
    days = [EventTime(datetime(2026, 12, day), is_day=True) for day in (1, 2, 4)]
    one_day = Invitation("Race", days[0], days[1], "", "")
    assert describe(one_day, BERLIN) == ["Einladung: Race", "2026-12-01"]
    three_days = Invitation("Race", days[0], days[2], "", "CANCEL")
    assert describe(three_days, BERLIN) == ["Abgesagt: Race", "2026-12-01 - 2026-12-03"]


def test_a_time_of_an_unknown_zone_keeps_the_name_of_its_zone() -> None:
    start = EventTime(datetime(2026, 12, 1, 12, 0), "Pier Time")
    assert describe(Invitation("", start, None, "", ""), BERLIN) == [
        "Einladung",
        "2026-12-01 12:00 Pier Time",
    ]


def test_the_first_and_the_last_moment_are_described() -> None:
    moments = (datetime.min, datetime.max)
    first, last = (EventTime(moment.replace(tzinfo=UTC)) for moment in moments)
    far = Invitation("", first, last, "", "")
    east, west = (describe(far, Locale(f"Etc/GMT{hours}"))[1] for hours in ("-12", "+12"))
    assert east == "0001-01-01 12:00 UTC+12 - 9999-12-31 23:59 UTC"
    assert west == "0001-01-01 00:00 UTC - 9999-12-31 11:59 UTC-12"
    day = Invitation("", EventTime(datetime.min, is_day=True), first, "", "")
    assert describe(day) == ["Invitation", "0001-01-01 - 00:00 UTC"]


def test_a_text_is_localised_where_it_has_the_description() -> None:
    text = "Invitation: Crew change\n2026-12-01 12:00 - 13:00 UTC\nPier 3\n\nSee you there"
    assert localise(text, CREW, BERLIN) == (
        "Einladung: Crew change\n2026-12-01 13:00 - 14:00 CET\nPier 3\n\nSee you there"
    )
    assert localise("2026-12-01 12:00", CREW, BERLIN) == "2026-12-01 12:00"


def test_a_text_tells_an_invitation_by_its_title_or_place() -> None:
    assert is_told_by(CREW, "the crew  CHANGE is tomorrow")
    assert not is_told_by(CREW, "see you")
