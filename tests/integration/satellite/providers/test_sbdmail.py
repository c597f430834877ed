"""Messages to devices by Iridium's SBD service by e-mail, over real sockets, and what it says of them."""

import pickle
from typing import Any

import pytest

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.errors import ConfigurationError, Rejected, Unavailable
from messaging.gateway import Gateway
from messaging.mail.relay import Relay
from messaging.mail.smtp.settings import SmtpSettings
from messaging.model.message import Receipt, ReceiptState
from messaging.pipeline import declare
from messaging.satellite.account import SubmittedPart
from messaging.satellite.providers import ACCOUNTS
from messaging.satellite.providers.sbdmail.account import SbdMailAccount
from messaging.simulator.mail.server import AccessRules
from messaging.simulator.sbdmail.wire import SERVICE
from messaging.simulator.shared.modems import Modem
from tests.support.eventually import eventually
from tests.support.satellite.directip_gateway import RecordingRouter
from tests.support.satellite.sbdmail_service import (
    DOMAIN,
    IMEI,
    SbdMailService,
    mail_server,
    sbdmail_account,
    sbdmail_service,
)

pytestmark = pytest.mark.anyio


async def send(
    account: SbdMailAccount, packet: bytes = b"hello", serial: str = IMEI
) -> SubmittedPart:
    network = pickle.loads(pickle.dumps(account)).connect()
    try:
        handed: SubmittedPart = await network.send(serial, packet)
        return handed
    finally:
        await network.aclose()


def test_it_is_registered_under_its_name() -> None:
    assert ACCOUNTS["sbdmail"] is SbdMailAccount


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("peers", ""),
        ("peers", "sbd.iridium.com"),
        ("mailbox", "SBD"),
        ("mailbox", "sbd+x"),
        ("mailbox", "sbd@example.org"),
        ("service", "nobody"),
        ("author", ""),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(field: str, value: str) -> None:
    changed: Any = {field: value}
    with pytest.raises(ConfigurationError, match=f"SATBRIDGE_SBDMAIL_{field.upper()}"):
        sbdmail_account("smtp://127.0.0.1:1", **changed)


def test_a_gateway_without_a_relay_says_what_is_missing() -> None:
    account = read(SbdMailAccount, mailbox="sbd", peers="127.0.0.1")
    with pytest.raises(ConfigurationError, match=r"SBDMAIL_MAILBOX: needs SATBRIDGE_RELAY_URL"):
        gateway(sbdmail=account)


def test_two_accounts_cannot_have_one_mailbox() -> None:
    one = sbdmail_account("smtp://127.0.0.1:1")
    with pytest.raises(ConfigurationError, match="another account has this mailbox"):
        gateway(sbdmail=one, other=one)


def test_more_patience_is_needed_than_the_relay_has() -> None:
    relay = read(Relay, url="smtp://127.0.0.1:1", timeout_seconds=10)
    account = sbdmail_account("smtp://127.0.0.1:1", timeout_seconds=10)
    with pytest.raises(ConfigurationError, match="SATBRIDGE_SBDMAIL_TIMEOUT_SECONDS"):
        Gateway(
            settings=read(Settings),
            smtp=read(SmtpSettings),
            relay=relay,
            satellites={"sbdmail": account},
        )


def gateway(**satellites: SbdMailAccount) -> Gateway:
    return Gateway(settings=read(Settings), smtp=read(SmtpSettings), satellites=satellites)


def test_it_comes_in_by_mail_and_goes_out_by_its_own_sender() -> None:
    graph = str(declare(gateway(sbdmail=sbdmail_account("smtp://127.0.0.1:1"))))
    assert "sbdmail-out" in graph
    assert "sbdmail-in" not in graph


async def test_a_message_is_mailed_and_named(service: SbdMailService) -> None:
    first, second = [await send(service.account(credit_bytes=30)) for _ in range(2)]
    assert first.network_id != second.network_id
    assert first.billed_units == 1
    assert [one.data for one in service.simulator.modems.downlinks()] == [b"hello", b"hello"]
    mail = service.simulator.sink.received[0]
    assert (mail.sender, mail.recipients) == (f"sbd@{DOMAIN}", (SERVICE,))


@pytest.mark.parametrize(("serial", "size"), [("9", 5), ("x" * 15, 5), (IMEI, 271)])
async def test_what_the_service_cannot_carry_is_never_mailed(
    service: SbdMailService, serial: str, size: int
) -> None:
    with pytest.raises(Rejected):
        await send(service.account(), b"x" * size, serial)
    assert service.simulator.sink.received == []


async def test_a_relay_that_refuses_the_service_fails_it() -> None:
    door = AccessRules(answers={SERVICE: "550 5.1.1 no such user"})
    with (
        sbdmail_service(access_rules=door) as service,
        pytest.raises(Rejected, match="no such user"),
    ):
        await send(service.account())


async def test_the_probe_writes_no_mail(service: SbdMailService) -> None:
    await service.account().connect().check()
    assert service.simulator.sink.received == []


async def test_the_probe_says_when_there_is_no_relay() -> None:
    with pytest.raises(Unavailable):
        await sbdmail_account("smtp://127.0.0.1:1").connect().check()


async def eventually_receipt(taken: RecordingRouter) -> Receipt:
    (receipt,) = await eventually(lambda: [r for r in taken.records if isinstance(r, Receipt)])
    return receipt


async def test_the_service_says_that_it_queued_a_message(service: SbdMailService) -> None:
    taken = RecordingRouter()
    async with mail_server(service, taken):
        handed = await send(service.account())
        receipt = await eventually_receipt(taken)
    assert (receipt.network_id, receipt.state) == (handed.network_id, ReceiptState.ON_ITS_WAY)


@pytest.mark.parametrize(
    ("serial", "why"), [("300434060000009", "not provisioned"), (IMEI, "queue is full")]
)
async def test_the_service_says_why_it_did_not_queue_one(serial: str, why: str) -> None:
    taken = RecordingRouter()
    with sbdmail_service(Modem(IMEI, reachable=False)) as service:
        for _ in range(50):
            service.simulator.modems.queue(IMEI, b"waits")
        async with mail_server(service, taken):
            handed = await send(service.account(), serial=serial)
            receipt = await eventually_receipt(taken)
    assert (receipt.network_id, receipt.state) == (handed.network_id, ReceiptState.FAILED)
    assert why in receipt.reason
