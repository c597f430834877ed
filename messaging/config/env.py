"""Reads settings from the environment, from files named by `…_FILE` variables and from `.env`: the only reader.

A part of the gateway declares its settings as a `Section`, a frozen class of typed fields with a prefix of its own
(`class HiveAccount(Section, prefix="SATBRIDGE_HIVE_")`). `read(HiveAccount)` returns them.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from messaging.errors import ConfigurationError


class Section(BaseSettings):
    """A group of settings that share a prefix. Frozen. Its errors never quote a value."""

    model_config = SettingsConfigDict(
        env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    def __init_subclass__(cls, prefix: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if prefix:
            cls.model_config = SettingsConfigDict(**{**cls.model_config, "env_prefix": prefix})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, the first one wins: arguments, environment, named files, `.env`."""
        prefix = str(getattr(env_settings, "env_prefix", ""))
        dotenv = getattr(dotenv_settings, "env_vars", {})
        files = _NamedFiles(settings_cls, prefix, dotenv)
        return init_settings, env_settings, files, dotenv_settings

    @classmethod
    def variables(cls, prefix: str | None = None) -> dict[str, str]:
        """Return the environment variable of every field, by field name."""
        start = cls.model_config.get("env_prefix", "") if prefix is None else prefix
        return {field: start + field.upper() for field in cls.model_fields}


S = TypeVar("S", bound=Section)


def read(section: type[S], *, prefix: str | None = None, **given: Any) -> S:
    """Return a section, read from variables with its own prefix or with `prefix`. Fields in `given` win.

    Raises ConfigurationError, which names every wrong variable.
    """
    try:
        if prefix is not None:
            given["_env_prefix"] = prefix
        return section(**given)
    except ValidationError as error:
        names = section.variables(prefix)
        raise ConfigurationError("; ".join(_describe(e, names) for e in error.errors())) from None


def read_if_set(section: type[S], **given: Any) -> S | None:
    """Return an optional section; None when none of its required variables is set.

    Raises ConfigurationError when only some of them are set, or a value is wrong.
    """
    required = {n for n, field in section.model_fields.items() if field.is_required()}
    try:
        return section(**given)
    except ValidationError as error:
        missing = {str(e["loc"][0]) for e in error.errors() if e["type"] == "missing" and e["loc"]}
        if required and missing == required:
            return None
    return read(section, **given)


def variables_given() -> set[str]:
    """Return the name of every variable of the environment and of `.env`, also those of other programs."""
    return {name.upper() for name in (*os.environ, *DotEnvSettingsSource(Section).env_vars)}


def entries_of(text: str) -> list[str]:
    """Return the entries of a setting that is a list separated by commas, without spaces and empty entries."""
    return [entry for entry in map(str.strip, text.split(",")) if entry]


def _describe(error: Mapping[str, Any], names: dict[str, str]) -> str:
    field = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] == "missing":
        return f"{names[field]} is not set"
    reason = str(error["msg"]).removeprefix("Value error, ")
    return f"{names.get(field, field)}: {reason}" if field else reason


class _NamedFiles(PydanticBaseSettingsSource):
    """Reads values from the files that `<VARIABLE>_FILE` names, in the environment or in `.env`."""

    def __init__(
        self, section: type[BaseSettings], prefix: str, dotenv: Mapping[str, str | None]
    ) -> None:
        super().__init__(section)
        self._prefix = prefix
        self._dotenv = dotenv  # its names are in lower case

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        variable = f"{self._prefix}{field_name.upper()}_FILE"
        path = os.environ.get(variable) or self._dotenv.get(variable.lower())
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text().strip(), field_name, False
        except OSError as error:
            raise ConfigurationError(f"{variable}: cannot read {path}: {error.strerror}") from error

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, field in self.settings_cls.model_fields.items():
            value, key, _ = self.get_field_value(field, name)
            if value is not None:
                found[key] = value
        return found
