"""No setting that holds a secret can be shown by accident, whatever part of the gateway it belongs to."""

import typing
from pathlib import Path

import pytest
from pydantic import SecretStr

from messaging.config.account import Account, read_accounts
from messaging.config.env import Section, read
from messaging.errors import ConfigurationError
from messaging.gateway import sections
from messaging.satellite.providers import ACCOUNTS as SATELLITES
from messaging.sms.providers import ACCOUNTS as TEXTS
from tests.conformance.stand import SECRET
from tests.conformance.stands import STANDS

WORDS = ("password", "token", "secret", "key")
NOT_SECRET = {"key_id", "public_key"}


def is_hidden(annotation: object) -> bool:
    """Whether a field of this type shows nothing, or only where a secret is kept."""
    kinds = typing.get_args(annotation)
    return annotation in (SecretStr, Path) or any(is_hidden(kind) for kind in kinds)


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.__name__)
def test_every_setting_that_is_called_a_secret_is_kept_as_one(section: type[Section]) -> None:
    for name, field in section.model_fields.items():
        last = name.rpartition("_")[2]
        if last in WORDS and not name.endswith(tuple(NOT_SECRET)):
            assert is_hidden(field.annotation), f"{section.__name__}.{name} would be shown"


def test_every_network_runs_the_tables() -> None:
    missing = {*SATELLITES, *TEXTS} - set(STANDS)
    assert not missing, f"add to tests/conformance/stands.py: {', '.join(sorted(missing))}"


def secrets_in(section: type[Section]) -> dict[str, str]:
    """The variable of each secret of a section, by field."""
    variables = section.variables()
    fields = section.model_fields.items()
    return {name: variables[name] for name, field in fields if SecretStr in kinds(field.annotation)}


def kinds(annotation: object) -> set[object]:
    """Every type that is in a type."""
    inner = [kinds(one) for one in typing.get_args(annotation)]
    return {annotation}.union(*inner)


@pytest.mark.parametrize("name", STANDS)
def test_the_tables_plant_every_secret_that_an_account_has(name: str) -> None:
    with STANDS[name]() as stand:
        for field in secrets_in(type(stand.account)):
            secret = getattr(stand.account, field)
            assert secret is not None, f"{name}: the tables leave {field} out"
            assert SECRET in secret.get_secret_value(), f"{name}: {field} is not the planted one"


SHAPES = (SECRET, f"{SECRET} /:,%", f"nonsense://{SECRET}@:x/")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("nonsense", ["", "%%%", "-1"])
@pytest.mark.parametrize("section", sections(), ids=lambda section: section.__name__)
def test_no_error_about_settings_shows_a_secret(
    section: type[Section], nonsense: str, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = secrets_in(section)
    for field, variable in section.variables().items():
        monkeypatch.setenv(variable, shape if field in secrets else nonsense)
    try:
        found = read(section)
        shown = repr(found) + repr(found.model_dump())
    except ConfigurationError as error:
        shown = repr(error) + repr(error.__cause__)
    assert SECRET not in shown


@pytest.mark.parametrize("account", [*SATELLITES.values(), *TEXTS.values()])
def test_a_further_account_hides_its_secrets_too(
    account: type[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = account.model_config["env_prefix"]
    monkeypatch.setenv(f"{prefix}ACCOUNTS", "north")
    for field in account.model_fields:
        secret = field in secrets_in(account)
        monkeypatch.setenv(f"{prefix}NORTH_{field.upper()}", SECRET * 2 if secret else "%%%")
    with pytest.raises(ConfigurationError) as caught:
        read_accounts(account)
    assert f"{prefix}NORTH_" in str(caught.value)
    assert SECRET not in repr(caught.value)
