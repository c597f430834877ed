"""Reads settings from the environment, from files named by `…_FILE` variables and from `.env`: the only reader.

A part of the gateway declares its settings as a `Section`, a frozen class of typed fields with a prefix of its own
(`class HiveAccount(Section, prefix="SATBRIDGE_HIVE_")`). `read(HiveAccount)` returns them.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from messaging.config.variables import Variables, read_variables
from messaging.errors import ConfigurationError

# Larger values overflow a date or a column somewhere.
_LARGEST = {"_seconds": 1e8, "_hours": 1e5}
_LARGEST_NUMBER = 1e15


class Section(BaseSettings):
    """A group of settings that share a prefix. Frozen. Its errors never quote a value.

    The constructor reads nothing; `read` does.
    """

    model_config = SettingsConfigDict(
        extra="ignore", frozen=True, hide_input_in_errors=True, allow_inf_nan=False
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
        """Return the only source, the arguments."""
        return (init_settings,)

    @field_validator("*")
    @classmethod
    def _bound(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse numbers that no part of the gateway can work with."""
        if isinstance(value, int | float):
            ends = (most for end, most in _LARGEST.items() if str(info.field_name).endswith(end))
            most = next(ends, _LARGEST_NUMBER)
            if value > most:
                raise ValueError(f"must be {most:.0f} or less")
        return value

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
    found = _read(section, prefix, given)
    if isinstance(found, Section):
        return found
    raise ConfigurationError(*found.values())


def read_if_set(section: type[S], **given: Any) -> S | None:
    """Return an optional section; None when none of its required variables is set.

    Raises ConfigurationError when only some of them are set, or a value is wrong.
    """
    required = {n for n, field in section.model_fields.items() if field.is_required()}
    found = _read(section, None, given)
    if isinstance(found, Section):
        return found
    names = section.variables()
    missing = {name for name in required if found.get(names[name]) == _not_set(names[name])}
    if not required or missing != required:
        raise ConfigurationError(*found.values())
    wrong = [text for variable, text in found.items() if text != _not_set(variable)]
    if wrong:
        raise ConfigurationError(*wrong)
    return None


def variables_given() -> set[str]:
    """Return the name of every variable of the environment and of `.env`, also those of other programs."""
    return read_variables().names()


def entries_of(text: str) -> list[str]:
    """Return the entries of a setting that is a list separated by commas, without spaces and empty entries."""
    return [entry for entry in map(str.strip, text.split(",")) if entry]


def _read(section: type[S], prefix: str | None, given: Mapping[str, Any]) -> S | dict[str, str]:
    """Return the section, or a sentence about each wrong variable by its name."""
    names = section.variables(prefix)
    variables: Variables = read_variables()
    values, problems = dict(given), dict[str, str]()
    for field, variable in names.items():
        if field not in given:
            try:
                value = variables.value(variable)
            except ConfigurationError as error:
                problems[variable] = str(error)
            else:
                values |= {} if value is None else {field: value}
    try:
        found = section(**values)
    except ValidationError as error:
        for one in error.errors():
            field = str(one["loc"][0]) if one["loc"] else ""
            variable = names.get(field, field)
            # A variable that could not be read is not missing.
            problems.setdefault(variable, _describe(one, variable, section, field))
        return problems
    return problems or found


_REASONS = {
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "bool_parsing": "must be true or false",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be {le:g} or less",
    "string_too_short": "must have {min_length} or more characters",
    "string_too_long": "must have {max_length} or fewer characters",
    "too_short": "must have {min_length} or more characters",
    "too_long": "must have {max_length} or fewer characters",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
}
"""The words for each kind of error of pydantic."""


def _describe(error: Any, variable: str, section: type[Section], field: str) -> str:
    if error["type"] == "missing":
        return _not_set(variable)
    reason = _REASONS.get(error["type"], "").format(**error.get("ctx", {})).replace("'", "")
    if error["type"] == "string_pattern_mismatch":
        examples = section.model_fields[field].examples
        reason = f"must look like {examples[0]}" if examples else "is not in the right form"
    reason = reason or str(error["msg"]).removeprefix("Value error, ")
    return f"{variable}: {reason}" if variable else reason


def _not_set(variable: str) -> str:
    return f"{variable} is not set"
