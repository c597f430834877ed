"""Iridium's SBD service by e-mail over real sockets, through our own mail-in and mail-out."""

import asyncio
import pickle
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest

from messaging.configuration import read
from messaging.errors import ConfigurationError, Rejected, Unavailable
from messaging.gateway import Gateway
from messaging.mail.relay import Relay
from messaging.mail.server import SmtpServer
from messaging.message import Beacon, Inquiry, Message, Receipt, ReceiptState
from messaging.pipeline import declare
from messaging.satellite.network import Handed
from messaging.satellite.networks import ACCOUNTS
from messaging.satellite.networks.sbdmail import SbdMailAccount
from messaging.settings import Settings
from messaging.simulator.mail import Doorkeeping
from messaging.simulator.modems import Modem
from messaging.simulator.sbdmail_letters import AUTHOR, SERVICE, Session
from tests.eventually import eventually
from tests.satellite.directip_gateway import Taken
from tests.satellite.networks.test_sbdmail_letters import AT
from tests.satellite.sbdmail_service import (
    DOMAIN,
    IMEI,
    MAIL,
    Service,
    mail_server,
    sbdmail_account,
    sbdmail_service,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def service() -> Iterator[Service]:
    with sbdmail_service() as service:
        yield service


async def send(account: SbdMailAccount, packet: bytes = b"hello", serial: str = IMEI) -> Handed:
    network = pickle.loads(pickle.dumps(account)).connect()
    try:
        handed: Handed = await network.send(serial, packet)
        return handed
    finally:
        await network.aclose()


# -- settings


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
            smtp=read(SmtpServer),
            relay=relay,
            satellites={"sbdmail": account},
        )


def gateway(**satellites: SbdMailAccount) -> Gateway:
    return Gateway(settings=read(Settings), smtp=read(SmtpServer), satellites=satellites)


def test_it_comes_in_by_mail_and_goes_out_by_its_own_sender() -> None:
    graph = str(declare(gateway(sbdmail=sbdmail_account("smtp://127.0.0.1:1"))))
    assert "sbdmail-out" in graph
    assert "sbdmail-in" not in graph


# -- messages to devices


async def test_a_message_is_mailed_and_named(service: Service) -> None:
    first, second = [await send(service.account(credit_bytes=30)) for _ in range(2)]
    assert first.network_id != second.network_id
    assert first.units == 1
    assert [one.data for one in service.simulator.modems.downlinks()] == [b"hello", b"hello"]
    mail = service.simulator.sink.received[0]
    assert (mail.sender, mail.recipients) == (f"sbd@{DOMAIN}", (SERVICE,))


@pytest.mark.parametrize(("serial", "size"), [("9", 5), ("x" * 15, 5), (IMEI, 271)])
async def test_what_the_service_cannot_carry_is_never_mailed(
    service: Service, serial: str, size: int
) -> None:
    with pytest.raises(Rejected):
        await send(service.account(), b"x" * size, serial)
    assert service.simulator.sink.received == []


async def test_a_relay_that_refuses_the_service_fails_it() -> None:
    door = Doorkeeping(answers={SERVICE: "550 5.1.1 no such user"})
    with (
        sbdmail_service(doorkeeping=door) as service,
        pytest.raises(Rejected, match="no such user"),
    ):
        await send(service.account())


async def test_the_probe_writes_no_mail(service: Service) -> None:
    await service.account().connect().check()
    assert service.simulator.sink.received == []


async def test_the_probe_says_when_there_is_no_relay() -> None:
    with pytest.raises(Unavailable):
        await sbdmail_account("smtp://127.0.0.1:1").connect().check()


async def eventually_receipt(taken: Taken) -> Receipt:
    (receipt,) = await eventually(lambda: [r for r in taken.records if isinstance(r, Receipt)])
    return receipt


async def test_the_service_says_that_it_queued_a_message(service: Service) -> None:
    taken = Taken()
    async with mail_server(service, taken):
        handed = await send(service.account())
        receipt = await eventually_receipt(taken)
    assert (receipt.network_id, receipt.state) == (handed.network_id, ReceiptState.ON_ITS_WAY)


@pytest.mark.parametrize(
    ("serial", "why"), [("300434060000009", "not provisioned"), (IMEI, "queue is full")]
)
async def test_the_service_says_why_it_did_not_queue_one(serial: str, why: str) -> None:
    taken = Taken()
    with sbdmail_service(Modem(IMEI, reachable=False)) as service:
        for _ in range(50):
            service.simulator.modems.queue(IMEI, b"waits")
        async with mail_server(service, taken):
            handed = await send(service.account(), serial=serial)
            receipt = await eventually_receipt(taken)
    assert (receipt.network_id, receipt.state) == (handed.network_id, ReceiptState.FAILED)
    assert why in receipt.reason


# -- what the service brings


async def test_a_session_is_taken(service: Service) -> None:
    taken = Taken()
    async with mail_server(service, taken):
        assert (await service.brings(texts=MAIL))["status"] == 200
    assert taken.texts == ["Anchored at noon"]
    (beacon,) = [one for one in taken.records if isinstance(one, Beacon)]
    assert beacon.position is not None
    assert [one.via for one in taken.records if isinstance(one, Message)] == ["sbdmail"]


async def test_to_strangers_the_mailbox_is_like_any_other(service: Service) -> None:
    taken = Taken()
    async with mail_server(service, taken, peers="192.0.2.0/24"):
        await service.brings(texts=MAIL)
    # The router was asked about it as about a subscriber's, and got what came as a mail from a person.
    assert any(isinstance(one, Inquiry) for one in taken.records)
    assert "Anchored at noon" not in taken.texts


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"author": "eve@example.net"}, 550), ({"subject": "Maintenance"}, 200)],
)
async def test_what_the_service_did_not_write_is_refused(
    service: Service, changes: dict[str, str], status: int
) -> None:
    taken = Taken()
    async with mail_server(service, taken):
        assert (await service.brings(texts=MAIL, changes=changes))["status"] == status
    assert len(taken.undeliverable) == (status == 200)
    assert taken.texts == []


async def test_a_mail_that_is_too_long_is_refused(service: Service) -> None:
    async with mail_server(service, Taken(), max_mail_bytes=500):
        assert (await service.brings(texts=MAIL))["status"] == 550


async def test_while_it_cannot_be_stored_it_is_put_off_and_comes_again(service: Service) -> None:
    taken = Taken(error=Unavailable("the store is away"))
    async with mail_server(service, taken):
        assert (await service.brings(texts=MAIL))["status"] == 451
        taken.error = None
        await eventually(lambda: taken.texts)
    assert taken.texts == ["Anchored at noon"]


def ordinary(subject: str, attachment: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = AUTHOR, f"boop@{DOMAIN}", subject
    mail["Message-ID"] = "<1@example.net>"
    mail.set_content("See the attachment")
    mail.add_attachment(b"hello", maintype="application", subtype="x", filename=attachment)
    return mail


def deliver(address: str, content: bytes, *recipients: str) -> None:
    host, _, port = address.rpartition(":")
    with smtplib.SMTP(host, int(port), timeout=10) as client:
        client.sendmail("alice@example.net", recipients, content)


async def test_a_mail_to_a_person_is_a_mail_whatever_it_looks_like(service: Service) -> None:
    taken = Taken()
    mail = ordinary(f"SBD Msg From Unit: {IMEI}", f"{IMEI}_000029.sbd").as_bytes()
    async with mail_server(service, taken) as address:
        await asyncio.to_thread(deliver, address, mail, f"boop@{DOMAIN}")
    (message,) = [one for one in taken.records if isinstance(one, Message)]
    assert message.via == "smtp"
    assert message.recipient.value == f"boop@{DOMAIN}"
    assert "See the attachment" in message.text


async def test_a_mail_to_the_network_and_a_person_reaches_both(service: Service) -> None:
    taken = Taken()
    content = Session(imei=IMEI, momsn=1, at=AT, payload=b"\x00").mail(f"sbd@{DOMAIN}")
    async with mail_server(service, taken) as address:
        await asyncio.to_thread(deliver, address, content, f"sbd@{DOMAIN}", f"boop@{DOMAIN}")
    assert len(taken.undeliverable) == 1
    (message,) = [one for one in taken.records if isinstance(one, Message)]
    assert message.recipient.value == f"boop@{DOMAIN}"
