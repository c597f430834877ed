"""One record is one line, in each format, without the text of an error."""

import json
import logging
import sys
from datetime import datetime
from typing import Any

import pytest

from messaging.logs.formats import FORMATS, is_line
from messaging.logs.records import details


def line_of(log_format: str, text: str, *arguments: object, error: Any = None, **given: Any) -> str:
    record = logging.LogRecord("messaging.test", logging.INFO, "x.py", 1, text, arguments, error)
    for name, value in details(**given).items():
        setattr(record, name, value)
    return FORMATS[log_format]().format(record)


def test_text_has_the_offset_of_its_time_and_the_fields() -> None:
    line = line_of("text", "sent", message_id="abc", account="hive", reason="no time", parts=0)
    time, rest = line.split(" ", 1)
    assert datetime.fromisoformat(time).utcoffset() is not None
    assert rest == 'INFO messaging.test sent message_id=abc account=hive reason="no time" parts=0'


def test_json_is_an_object_with_the_same_fields() -> None:
    found = json.loads(
        line_of("json", "%s failed", "it", message_id="abc", time="mine", attempts=2)
    )
    assert datetime.fromisoformat(found.pop("time")).utcoffset() is not None
    assert found == {
        "level": "INFO",
        "logger": "messaging.test",
        "message": "it failed",
        "message_id": "abc",
        "attempts": 2,
    }


@pytest.mark.parametrize("log_format", FORMATS)
@pytest.mark.parametrize("character", ["\n", "\r", "\x1b[31m", "\x85", "\u2028", "\0"])
def test_a_peer_cannot_write_a_line_of_its_own(log_format: str, character: str) -> None:
    forged = f"x{character}2026-11-30T04:00:00.000+00:00 INFO messaging forged"
    line = line_of(log_format, "recipient %s", forged, sender=forged)
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    assert "\0" not in line


@pytest.mark.parametrize("log_format", FORMATS)
def test_an_error_is_named_with_its_place_and_never_quoted(log_format: str) -> None:
    try:
        raise ValueError("a body, and a secret")
    except ValueError:
        line = line_of(log_format, "it failed", error=sys.exc_info())
    assert "ValueError" in line
    assert "test_formats.py:" in line
    assert "secret" not in line
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize("log_format", FORMATS)
def test_lines_of_other_processes_are_known(log_format: str) -> None:
    assert is_line(line_of(log_format, "sent"))
    assert not is_line("Traceback (most recent call last):")
