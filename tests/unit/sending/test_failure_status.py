"""The failure status of a source: its reason, its beginning, and one log line for each change."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from messaging.errors import AccountBlocked, Unavailable
from messaging.sending.failure_status import FailureStatus

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_reason_and_the_first_failure_are_kept_until_a_success(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "messaging")
    times = iter(START + timedelta(hours=hour) for hour in range(9))
    status = FailureStatus("polling hive", lambda: next(times))
    works = {"failing_since": None, "failure": ""}
    status.clear()
    assert status.fields() == works
    for error in (Unavailable("it is away"), Unavailable("it is away"), Unavailable("no answer")):
        status.note(error)
    assert status.fields() == {"failing_since": "2026-01-01T00:00:00+00:00", "failure": "no answer"}
    status.clear()
    status.clear()
    assert status.fields() == works
    assert [record.getMessage() for record in caplog.records] == [
        "polling hive fails: it is away",
        "polling hive fails: no answer",
        "polling hive works again",
    ]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (AccountBlocked("it refuses the log-in", "set the password"), "set the password"),
        (RuntimeError("a text of a message"), "internal error (RuntimeError)"),
    ],
)
def test_an_action_is_named_and_the_text_of_a_bug_is_not(error: Exception, reason: str) -> None:
    status = FailureStatus("polling hive")
    status.note(error)
    assert status.reason.endswith(reason)
    assert "message" not in status.reason
