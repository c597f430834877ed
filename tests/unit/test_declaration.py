"""What the declaration of a gateway says: its stages, its keys, and what it refuses."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.errors import ConfigurationError
from messaging.gateway import Gateway, sections
from messaging.mail.relay import Relay
from messaging.mail.smtp.settings import SmtpSettings
from messaging.model.message import (
    Address,
    DeadLetter,
    Inbound,
    Message,
    Network,
    OptOutChange,
    RecipientCheck,
    subscriber_key,
)
from messaging.pipeline import declare
from tests.support.inline_gateway import FRIEND, NUMBER, text

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (text(FRIEND, NUMBER, "x"), NUMBER),
        (RecipientCheck(recipient=Address(Network.EMAIL, "boop@example.org")), "boop@example.org"),
        (
            Message(
                id="1" * 32,
                sender=Address(Network.SATELLITE, "7"),
                recipient=Address(Network.EMAIL, "alice@example.net"),
                text="x",
                via="hive",
            ),
            "7",
        ),
        (
            DeadLetter(
                id="2" * 32,
                sender=Address(Network.SATELLITE, "7"),
                via="hive",
                raw=b"",
                reason="broken",
            ),
            "7",
        ),
        (
            OptOutChange(
                id="3" * 32,
                sender=Address(Network.SMS, FRIEND),
                recipient=Address(Network.SMS, NUMBER),
                allowed=True,
                via="twilio",
            ),
            NUMBER,
        ),
    ],
    ids=["text", "inquiry", "uplink", "undeliverable", "consent"],
)
async def test_what_concerns_one_subscriber_has_one_key(record: Inbound, key: str) -> None:
    assert subscriber_key(record) == key


async def test_a_gateway_without_networks_is_declared_too(tmp_path: Path) -> None:
    settings = read(Settings, state_dir=tmp_path)
    printed = str(declare(Gateway(settings=settings, smtp=read(SmtpSettings))))
    assert "ledger" not in printed
    assert "mail-in" in printed


async def test_a_lease_too_short_for_a_network_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="SATBRIDGE_LEASE_SECONDS"):
        Gateway(
            settings=read(Settings, lease_seconds=10),
            smtp=read(SmtpSettings),
            relay=read(Relay, url=SecretStr("smtp://localhost")),
        )


async def test_every_setting_has_a_variable_of_its_own() -> None:
    names = [name for section in sections() for name in section.variables().values()]
    assert len(names) == len(set(names))
    assert all(name.startswith("SATBRIDGE_") for name in names)
