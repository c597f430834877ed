"""Reads the JSON of Bandwidth's answers and callbacks. Pure."""

import json
from datetime import datetime
from typing import Any

import httpx


def json_of(answer: httpx.Response) -> Any:
    """Return the JSON in an answer, or None when it holds none."""
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None


def text_of(found: dict[str, Any], name: str) -> str:
    """Return a field if it is a text that can be stored: JSON may hold halves of characters (RFC 8259 section 8.2)."""
    value = found.get(name)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def time_of(text: str) -> datetime | None:
    """Return the moment that ISO 8601 with an offset names, else None."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def segment_count(message: dict[str, Any]) -> int | None:
    """Return how many SMS Bandwidth says that a message takes, if it says so."""
    count = message.get("segmentCount")
    return count if type(count) is int and count > 0 else None


def bytes_of(event: Any) -> bytes:
    """Return an event as bytes that can be stored."""
    return json.dumps(event, ensure_ascii=True).encode()
