"""No setting that holds a secret can be shown by accident, whatever part of the gateway it belongs to."""

import typing
from pathlib import Path

import pytest
from pydantic import SecretStr

from messaging.configuration import Section
from messaging.gateway import sections
from messaging.satellite.networks import ACCOUNTS as SATELLITES
from messaging.sms.providers import ACCOUNTS as TEXTS
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
