"""The formats of log lines: text for people, and one JSON object a line for programs. One record is one line."""

import json
import logging
import re
import traceback
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

PLACES = 4
_PLAIN = re.compile(r"[^\s\"\\=]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class TextFormat(logging.Formatter):
    """`time level logger text name=value …`; the time has its offset from UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        head = f"{_time(record)} {record.levelname} {record.name} {_escape(record.getMessage())}"
        named = (f"{name}={_quote(value)}" for name, value in fields_of(record).items())
        return " ".join((head, *named))


class JsonFormat(logging.Formatter):
    """An object with `time`, `level`, `logger`, `message` and the fields of the record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields = {name: value for name, value in fields_of(record).items() if name not in line}
        return json.dumps({**line, **fields}, default=str)


FORMATS: Mapping[str, type[logging.Formatter]] = {"text": TextFormat, "json": JsonFormat}


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """Return the message id, the fields, and the type and place of an error. Never the text of an error.

    The text of a foreign exception, and the lines of a traceback, may quote a body or a secret.
    """
    fields: dict[str, object] = {}
    if message_id := getattr(record, "message_id", None):
        fields["message_id"] = message_id
    fields |= getattr(record, "fields", {})
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        frames = traceback.extract_tb(error.__traceback__)[-PLACES:]
        places = (f"{Path(one.filename).name}:{one.lineno}" for one in reversed(frames))
        fields |= {"error": type(error).__name__, "place": " < ".join(places)}
    return fields


def is_line(text: str) -> bool:
    """Whether the text is a line of one of these formats, such as one that another process of the gateway wrote."""
    return text.startswith('{"time": "') or bool(re.match(r"\d{4}-\d\d-\d\dT\S+ [A-Z]+ \S+ ", text))


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")


def _quote(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else _escape(json.dumps(text, ensure_ascii=False))


def _escape(text: str) -> str:
    """Return the text on one line: a peer must not be able to write a line of its own."""
    return _CONTROL.sub(lambda found: json.dumps(found[0])[1:-1], text)
