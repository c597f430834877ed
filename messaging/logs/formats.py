"""The formats of log lines: text for people, and one JSON object a line for programs. One record is one line."""

import json
import logging
import re
import traceback
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from messaging.logs.addresses import AddressHasher

PLACES = 4
_PLAIN = re.compile(r"[^\s\"\\=]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class LineFormat(logging.Formatter):
    """A format of one line a record. A `hasher` hides the addresses in it."""

    def __init__(self, hasher: AddressHasher | None = None) -> None:
        super().__init__()
        self._hasher = hasher

    def message_of(self, record: logging.LogRecord) -> str:
        """Return the message of a record."""
        return self._hasher.hide_message(record) if self._hasher else record.getMessage()

    def fields_of(self, record: logging.LogRecord) -> dict[str, object]:
        """Return the fields of a record."""
        fields = fields_of(record)
        if self._hasher:
            fields = {name: self._hasher.hide_field(name, value) for name, value in fields.items()}
        return fields


class TextFormat(LineFormat):
    """`time level logger text name=value …`; the time has its offset from UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        message = _escape(self.message_of(record))
        parts = [_time(record), record.levelname, record.name, message]
        for name, value in self.fields_of(record).items():
            text = str(value)
            if not _PLAIN.fullmatch(text):
                text = _escape(json.dumps(text, ensure_ascii=False))
            parts.append(f"{name}={text}")
        return " ".join(parts)


class JsonFormat(LineFormat):
    """An object with `time`, `level`, `logger`, `message` and the fields of the record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self.message_of(record),
        }
        fields = {name: value for name, value in self.fields_of(record).items() if name not in line}
        return json.dumps({**line, **fields}, default=str)


FORMATS: Mapping[str, type[LineFormat]] = {"text": TextFormat, "json": JsonFormat}


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


def _escape(text: str) -> str:
    """Return the text on one line: a peer must not be able to write a line of its own."""
    return _CONTROL.sub(lambda found: json.dumps(found[0])[1:-1], text)
