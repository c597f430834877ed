"""Moments as people write them."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from messaging.cli.durations import moment_of


def test_no_text_is_no_moment() -> None:
    assert moment_of(None) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-30", datetime(2026, 11, 30, tzinfo=UTC)),
        (" 2026-11-30T14:00 ", datetime(2026, 11, 30, 14, tzinfo=UTC)),
        ("2026-11-30 14:00:05", datetime(2026, 11, 30, 14, 0, 5, tzinfo=UTC)),
        ("2026-11-30T14:00Z", datetime(2026, 11, 30, 14, tzinfo=UTC)),
        ("2026-11-30T14:00+02:00", datetime(2026, 11, 30, 12, tzinfo=UTC)),
    ],
)
def test_dates_are_utc_unless_they_have_an_offset(text: str, moment: datetime) -> None:
    assert moment_of(text) == moment


def test_days_by_name_begin_at_midnight() -> None:
    today, yesterday = moment_of("today"), moment_of("Yesterday")
    assert today is not None
    assert yesterday is not None
    assert (today.hour, today.minute, today - yesterday) == (0, 0, timedelta(days=1))
    assert timedelta(0) <= datetime.now(UTC) - today < timedelta(days=1, minutes=5)


def test_an_age_counts_back_from_now() -> None:
    found = moment_of("12h")
    assert found is not None
    assert timedelta(hours=12) <= datetime.now(UTC) - found < timedelta(hours=12, minutes=5)


@pytest.mark.parametrize("text", ["", "x", "next week", "-3d", "2026-13-01"])
def test_anything_else_is_answered_with_examples(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no time; write 2026-11-30"):
        moment_of(text)
