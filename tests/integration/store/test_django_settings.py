"""The settings of the Django project follow from ours."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.errors import ConfigurationError
from messaging.store.db.django_settings import constant_values, secret_key, values_of


def test_a_secret_key_is_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    settings = read(Settings, state_dir=tmp_path / "state")
    keys: list[str] = []
    threads = [threading.Thread(target=lambda: keys.append(secret_key(settings))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
    assert len(keys[0]) >= 50
    assert os.listdir(tmp_path / "state") == ["secret-key"]
    assert stat.S_IMODE((tmp_path / "state" / "secret-key").stat().st_mode) == 0o600


def test_a_given_secret_key_is_taken_and_leaves_no_file(tmp_path: Path) -> None:
    settings = read(Settings, state_dir=tmp_path, secret_key="given")
    assert str(values_of(settings)["SECRET_KEY"]) == "given"
    assert os.listdir(tmp_path) == []


def test_a_state_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="SATBRIDGE_STATE_DIR"):
        secret_key(read(Settings, state_dir=tmp_path / "file"))


@pytest.mark.parametrize(
    ("url", "host", "origin", "secure"),
    [
        ("http://localhost:8000", "localhost", "http://localhost:8000", False),
        ("https://gateway.example.org", "gateway.example.org", "https://gateway.example.org", True),
        ("https://g.example.org:8443/x", "g.example.org", "https://g.example.org:8443", True),
        ("http://[2001:db8::1]:80", "[2001:db8::1]", "http://[2001:db8::1]:80", False),
    ],
)
def test_the_public_url_says_who_may_ask_and_how(
    url: str, host: str, origin: str, secure: bool
) -> None:
    values = values_of(read(Settings, public_url=url))
    assert {host, "localhost", "127.0.0.1"} <= set(values["ALLOWED_HOSTS"])
    assert values["CSRF_TRUSTED_ORIGINS"] == [origin]
    assert values["SESSION_COOKIE_SECURE"] is values["CSRF_COOKIE_SECURE"] is secure
    assert constant_values()["DEBUG"] is False


@pytest.mark.parametrize("url", ["gateway.example.org", "ftp://x", "https://"])
def test_a_wrong_public_url_names_its_setting(url: str) -> None:
    with pytest.raises(ConfigurationError, match="SATBRIDGE_PUBLIC_URL"):
        values_of(read(Settings, public_url=url))


def test_djangos_own_command_line_works_with_the_settings_module(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "messaging.web.django_settings",
        "SATBRIDGE_DATABASE_URL": f"sqlite:///{tmp_path / 'x.sqlite3'}",
        "SATBRIDGE_STATE_DIR": str(tmp_path),
        "SATBRIDGE_SECRET_KEY": "x" * 50,
    }
    for command in (["migrate", "--verbosity=0"], ["check"]):
        subprocess.run([sys.executable, "-m", "django", *command], check=True, env=environment)
    assert (tmp_path / "x.sqlite3").exists()
