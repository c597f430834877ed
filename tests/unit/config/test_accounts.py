"""Several accounts of one provider: each with its own settings, name, device network and webhook."""

import pickle
from pathlib import Path

import pytest

from messaging.config.account import account_names, read_accounts
from messaging.errors import ConfigurationError
from messaging.gateway import read_gateway, satellite_names
from messaging.pipeline import declare
from messaging.satellite.providers.hive.account import HiveAccount
from messaging.sms.providers.twilio.account import TwilioAccount

SECRET = "that-nobody-may-see"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # no `.env` of ours


def give(monkeypatch: pytest.MonkeyPatch, prefix: str, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"{prefix}{name}", value)


HIVE = {"URL": "http://127.0.0.1:9/hive", "USERNAME": "boop", "PASSWORD": SECRET}


def test_the_plain_settings_are_the_account_that_is_called_like_its_provider(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    give(monkeypatch, "SATBRIDGE_HIVE_", **HIVE)
    (account,) = read_accounts(HiveAccount).values()
    assert (account.name, account.variable("url")) == (
        "hive",
        "SATBRIDGE_HIVE_URL",
    )


def test_further_accounts_have_their_own_settings_also_from_files_and_travel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text(f"{SECRET}\n")
    give(monkeypatch, "SATBRIDGE_HIVE_", ACCOUNTS="north, South")
    give(monkeypatch, "SATBRIDGE_HIVE_SOUTH_", **HIVE)
    give(monkeypatch, "SATBRIDGE_HIVE_NORTH_", URL="http://127.0.0.2:9/hive", USERNAME="beep")
    give(monkeypatch, "SATBRIDGE_HIVE_NORTH_", PASSWORD_FILE=str(tmp_path / "password"))
    found = read_accounts(HiveAccount)
    assert list(found) == ["hive-north", "hive-south"]
    north = pickle.loads(pickle.dumps(found["hive-north"]))
    assert (north.name, north.username) == ("hive-north", "beep")
    assert north.password.get_secret_value() == SECRET
    assert north.variable("url") == "SATBRIDGE_HIVE_NORTH_URL"
    assert SECRET not in repr(found)


def test_a_further_account_that_is_not_whole_is_named_with_its_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    give(monkeypatch, "SATBRIDGE_HIVE_", ACCOUNTS="north")
    give(monkeypatch, "SATBRIDGE_HIVE_NORTH_", PASSWORD=SECRET)
    with pytest.raises(ConfigurationError) as caught:
        read_accounts(HiveAccount)
    assert "SATBRIDGE_HIVE_NORTH_URL is not set" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("names", ["no rth", "n_o", "é", "x" * 17])
def test_a_name_that_cannot_be_part_of_a_variable_is_refused(
    monkeypatch: pytest.MonkeyPatch, names: str
) -> None:
    give(monkeypatch, "SATBRIDGE_HIVE_", ACCOUNTS=names)
    with pytest.raises(ConfigurationError, match="SATBRIDGE_HIVE_ACCOUNTS"):
        read_accounts(HiveAccount)


def test_all_accounts_are_declared_and_can_be_a_devices_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    give(monkeypatch, "SATBRIDGE_HIVE_", ACCOUNTS="north", **HIVE)
    give(monkeypatch, "SATBRIDGE_HIVE_NORTH_", **HIVE)
    twilio = {"ACCOUNT_SID": "AC1", "AUTH_TOKEN": SECRET}
    give(monkeypatch, "SATBRIDGE_TWILIO_", ACCOUNTS="work", **twilio)
    give(monkeypatch, "SATBRIDGE_TWILIO_WORK_", **twilio)
    give(monkeypatch, "SATBRIDGE_SMS_", CARRIERS="*=twilio")
    printed = str(declare(read_gateway()))
    for stage in ("hive-in", "hive-north-in", "hive-out", "hive-north-out", "twilio-work-out"):
        assert f"\n{stage}  " in printed
    assert {"hive", "hive-north"} <= set(satellite_names())
    assert account_names(TwilioAccount) == ["twilio", "twilio-work"]


def test_commands_route_by_the_same_rules_as_the_router(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SATBRIDGE_MAIL_DOMAIN", "example.org")
    assert not read_gateway().policy.delivers_to_all
    monkeypatch.setenv("SATBRIDGE_DEVICES_PER_MESSAGE", "all")
    policy = read_gateway().policy
    assert policy.delivers_to_all
    assert policy.is_known("hive")
