"""The variables of the environment and of `.env`: decoded, stripped and checked here, for all settings alike.

An empty value means that the variable is not set.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from messaging.errors import ConfigurationError

ENV_FILE = Path(".env")
PREFIX = "SATBRIDGE_"
MAX_FILE_BYTES = 65_536
# Besides white space: a byte order mark and spaces without width, as editors and web pages leave them.
_AROUND = re.compile(r"^[\s\ufeff\u200b\u2060]+|[\s\ufeff\u200b\u2060]+$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ufeff\u200b\u2060\u2028\u2029]")
_NOT_UTF8 = re.compile(r"[\ud800-\udfff]")
_PEM = "-----BEGIN "


@dataclass(frozen=True, slots=True)
class Variables:
    """All variables by name, in capitals. The environment wins over files that are named, and these over `.env`."""

    environment: Mapping[str, str]
    env_file: Mapping[str, str]

    def names(self) -> set[str]:
        """Return the names of all variables, also those of other programs."""
        return {*self.environment, *self.env_file}

    def value(self, name: str) -> str | None:
        """Return the value of a setting, None if it is not set. Raises ConfigurationError, which names the variable."""
        if text := _clean(name, self.environment.get(name)):
            return text
        named = f"{name}_FILE"
        for place in (self.environment, self.env_file):
            if path := _clean(named, place.get(named)):
                return _clean(f"{named}: {path}", _read_file(named, path))
        return _clean(name, self.env_file.get(name))


def read_variables() -> Variables:
    """Read the environment and `.env`. Raises ConfigurationError when `.env` cannot be read."""
    environment = {name.upper(): text for name, text in os.environ.items()}
    try:
        content = b"" if ENV_FILE.is_dir() else ENV_FILE.read_bytes()
    except FileNotFoundError:
        content = b""
    except OSError as error:
        raise ConfigurationError(f"{ENV_FILE.absolute()}: {error.strerror}") from None
    return Variables(environment, _parse(content))


@lru_cache(maxsize=1)
def _parse(content: bytes) -> Mapping[str, str]:
    """Return the variables of `.env`. Lines of other programs may be wrong; those of the gateway's may not."""
    place = ENV_FILE.absolute()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigurationError(f"{place} is in UTF-16; save it in UTF-8")
    problems = []
    for number, raw in enumerate(content.splitlines(), 1):
        try:
            raw.decode()
        except UnicodeDecodeError:
            problems.append(
                f"{_name_in(raw.decode('latin-1'))}line {number} of {place} is not in UTF-8"
            )
    if problems:
        raise ConfigurationError(*problems)
    text = content.decode("utf-8-sig")
    for statement in parse_stream(StringIO(text)):
        source = statement.original
        if statement.error and PREFIX in source.string:
            where = f"{_name_in(source.string)}line {source.line} of {place}"
            problems.append(f"{where} cannot be read; is a quotation mark missing?")
    if problems:
        raise ConfigurationError(*problems)
    values = dotenv_values(stream=StringIO(text))
    return {name.upper(): value for name, value in values.items() if value is not None}


def _name_in(line: str) -> str:
    """Return the name of the variable that a line sets, with a colon; empty without one."""
    found = re.match(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=", line, re.ASCII)
    return f"{found[1]}: " if found else ""


def _clean(name: str, value: str | None) -> str | None:
    """Return the value without white space around it, None if nothing is left. Raises ConfigurationError."""
    text = _AROUND.sub("", value or "")
    if not text:
        return None
    if _NOT_UTF8.search(text):
        raise ConfigurationError(f"{name}: is not in UTF-8")
    # Keys and certificates have lines.
    if _CONTROL.search(text.replace("\r", "").replace("\n", "") if _PEM in text else text):
        raise ConfigurationError(f"{name}: contains a line break or another invisible character")
    return text


def _read_file(variable: str, path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is no path"
        raise ConfigurationError(f"{variable}: cannot read {path}: {reason}") from None
    if len(content) > MAX_FILE_BYTES:
        raise ConfigurationError(f"{variable}: {path} is longer than {MAX_FILE_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{variable}: {path} is not in UTF-8") from None
