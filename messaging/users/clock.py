"""The time, where it is not given by a test."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the time, timezone-aware."""
    return datetime.now(UTC)
