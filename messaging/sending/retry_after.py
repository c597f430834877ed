"""Reads the header `Retry-After` (RFC 9110 section 10.2.3). Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_SECONDS: Final = 3600.0
"""The longest wait that a peer can ask for."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds, given as such or as a date; None when the header is absent or makes no sense."""
    text = str(headers.get("Retry-After", "")).strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:9]), LONGEST_SECONDS)
    try:
        seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), LONGEST_SECONDS)
