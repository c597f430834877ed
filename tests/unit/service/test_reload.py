"""A running gateway reads its settings again: some apply, the others are named, and a wrong value changes nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from messaging.config.settings import Settings
from messaging.gateway import read_gateway
from messaging.service.reload import Reloader
from messaging.store.live_settings import LIVE_FIELDS
from tests.support.mail.certificates import make_certificate

HIVE = (
    "SATBRIDGE_HIVE_URL=https://hive.example.org\n"
    "SATBRIDGE_HIVE_USERNAME=boss\nSATBRIDGE_HIVE_PASSWORD=secret one\n"
)


class Env:
    """A folder with a `.env`, and a gateway that was started there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.levels: list[str] = []
        self.limits: list[Mapping[str, Any]] = []
        self.write(HIVE)
        self.start()

    def start(self) -> None:
        self.reloader = Reloader(read_gateway(), self.levels.append, self.limits.append)

    def write(self, text: str) -> None:
        (self.folder / ".env").write_text(text)

    def reload(self, text: str) -> str:
        self.write(text)
        return self.reloader.reload()


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Env:
    monkeypatch.chdir(tmp_path)
    return Env(tmp_path)


def test_another_log_level_applies_once(env: Env) -> None:
    assert env.reload(HIVE) == "nothing has changed"
    assert env.reload(f"{HIVE}SATBRIDGE_LOG_LEVEL=debug\n") == "the log level is DEBUG now"
    assert env.reload(f"{HIVE}SATBRIDGE_LOG_LEVEL=debug\n") == "nothing has changed"
    assert env.reload(HIVE) == "the log level is INFO now"
    assert env.levels == ["DEBUG", "INFO"]


def test_every_other_setting_is_named_each_time_and_its_value_is_not(env: Env) -> None:
    text = HIVE.replace("one", "two") + "SATBRIDGE_LEASE_SECONDS=300\nSATBRIDGE_LOG_LEVEL=ERROR\n"
    rest = "needs a restart: SATBRIDGE_HIVE_PASSWORD, SATBRIDGE_LEASE_SECONDS"
    assert env.reload(text) == f"the log level is ERROR now; {rest}"
    assert env.reload(text) == rest


def test_limits_apply_and_go_back_to_those_of_the_start(env: Env) -> None:
    limits = f"{HIVE}SATBRIDGE_MAX_HOURLY_PER_PAIR=7\nSATBRIDGE_SMS_COUNTRIES=+47\n"
    applied = "applied: SATBRIDGE_MAX_HOURLY_PER_PAIR, SATBRIDGE_SMS_COUNTRIES"
    assert env.reload(f"{limits}SATBRIDGE_LEASE_SECONDS=300\n") == (
        f"{applied}; needs a restart: SATBRIDGE_LEASE_SECONDS"
    )
    assert env.reload(limits) == "nothing has changed"
    assert env.reload(HIVE) == applied
    assert env.limits == [{"max_hourly_per_pair": 7, "sms_countries": "+47"}, {}]


def test_every_live_setting_is_one_of_the_settings() -> None:
    assert set(Settings.model_fields) >= LIVE_FIELDS


def test_an_account_that_appears_needs_a_restart(env: Env) -> None:
    relay = "SATBRIDGE_RELAY_URL=smtp://relay.example.org\n"
    said = env.reload(f"{HIVE}{relay}SATBRIDGE_HIVE_ACCOUNTS=\n")
    assert "needs a restart: " in said
    assert "SATBRIDGE_RELAY_URL" in said


def test_a_wrong_value_changes_nothing_and_is_named(
    env: Env, caplog: pytest.LogCaptureFixture
) -> None:
    said = env.reload(f"{HIVE}SATBRIDGE_LOG_LEVEL=DEBUG\nSATBRIDGE_LEASE_SECONDS=soon\n")
    assert said.startswith("nothing was reloaded: SATBRIDGE_LEASE_SECONDS: ")
    assert env.levels == []
    assert said in caplog.text


def test_a_certificate_is_checked(env: Env) -> None:
    files = make_certificate(env.folder)
    text = f"{HIVE}SATBRIDGE_SMTP_CERTIFICATE={files.certificate}\nSATBRIDGE_SMTP_KEY={files.key}\n"
    env.write(text)
    env.start()
    assert env.reload(text).startswith("the certificate of the mail port ends on 2")
    files.key.write_text("no key")
    assert env.reload(f"{text}SATBRIDGE_LOG_LEVEL=DEBUG\n").startswith(
        "nothing was reloaded: SATBRIDGE_SMTP_CERTIFICATE, SATBRIDGE_SMTP_KEY: "
    )
    assert env.levels == []
