"""Keeps what a notice reports in one column of its message: a `Failure` to JSON and back. Pure."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from messaging.model.message import Failure


def as_json(failure: Failure) -> dict[str, Any]:
    """Return the failure as the column takes it."""
    return {**asdict(failure), "received_at": failure.received_at.isoformat()}


def from_json(stored: Mapping[str, Any] | None) -> Failure | None:
    """Return what the column holds, None for a message that is no notice."""
    if stored is None:
        return None
    received_at = datetime.fromisoformat(stored["received_at"])
    return Failure(**{**stored, "received_at": received_at})
