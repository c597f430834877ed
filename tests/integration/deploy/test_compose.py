"""The file for one server without Kubernetes."""

from typing import Any

import yaml

from messaging.config.settings import Settings
from messaging.gateway import sections
from tests.support.paths import ROOT


def gateway() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    service: dict[str, Any] = told["services"]["gateway"]
    return service


def test_every_setting_in_it_exists_and_none_is_secret() -> None:
    known = {variable for section in sections() for variable in section.variables().values()}
    assert set(gateway()["environment"]) <= known
    listens = {f"SATBRIDGE_{name}_LISTEN" for name in ("SMTP", "HTTP", "ADMIN")}
    assert set(gateway()["environment"]) == listens


def test_it_outlasts_the_drain_and_publishes_the_ports_that_are_listened_on() -> None:
    grace = int(gateway()["stop_grace_period"].removesuffix("s"))
    fields = Settings.model_fields
    announced, drain = fields["unready_seconds"].default, fields["drain_seconds"].default
    assert grace >= announced + drain + 30
    listens = {v.rpartition(":")[2] for v in gateway()["environment"].values()}
    assert {port.rpartition(":")[2] for port in gateway()["ports"]} == listens
    assert "127.0.0.1:8001:8001" in gateway()["ports"]


def test_it_is_locked_up_and_of_the_projects_version() -> None:
    told = gateway()
    assert told["read_only"]
    assert told["cap_drop"] == ["ALL"]
    version = f'version = "{told["image"].removeprefix("satbridge:")}"'
    assert version in (ROOT / "pyproject.toml").read_text()
