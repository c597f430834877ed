"""What Iridium's SBD service brings by e-mail, over real sockets and through our own mail-in."""

import asyncio
import smtplib
from email.message import EmailMessage

import pytest

from messaging.errors import Unavailable
from messaging.model.message import DeviceReport, Message, RecipientCheck
from messaging.simulator.sbdmail.wire import AUTHOR, SbdMailSession
from tests.support.eventually import eventually
from tests.support.satellite.directip_gateway import RecordingRouter
from tests.support.satellite.sbdmail_service import DOMAIN, IMEI, MAIL, SbdMailService, mail_server
from tests.unit.satellite.providers.test_sbdmail_mails import AT

pytestmark = pytest.mark.anyio


async def test_a_session_is_taken(service: SbdMailService) -> None:
    taken = RecordingRouter()
    async with mail_server(service, taken):
        assert (await service.deliver(texts=MAIL))["status"] == 200
    assert taken.texts == ["Anchored at noon"]
    (beacon,) = [one for one in taken.records if isinstance(one, DeviceReport)]
    assert beacon.position is not None
    assert [one.via for one in taken.records if isinstance(one, Message)] == ["sbdmail"]


async def test_to_strangers_the_mailbox_is_like_any_other(service: SbdMailService) -> None:
    taken = RecordingRouter()
    async with mail_server(service, taken, peers="192.0.2.0/24"):
        await service.deliver(texts=MAIL)
    # The router was asked about it as about a subscriber's, and got what came as a mail from a person.
    assert any(isinstance(one, RecipientCheck) for one in taken.records)
    assert "Anchored at noon" not in taken.texts


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"author": "eve@example.net"}, 550), ({"subject": "Maintenance"}, 200)],
)
async def test_what_the_service_did_not_write_is_refused(
    service: SbdMailService, changes: dict[str, str], status: int
) -> None:
    taken = RecordingRouter()
    async with mail_server(service, taken):
        assert (await service.deliver(texts=MAIL, changes=changes))["status"] == status
    assert len(taken.dead_letters) == (status == 200)
    assert taken.texts == []


async def test_a_mail_that_is_too_long_is_refused(service: SbdMailService) -> None:
    async with mail_server(service, RecordingRouter(), max_mail_bytes=500):
        assert (await service.deliver(texts=MAIL))["status"] == 550


async def test_while_it_cannot_be_stored_it_is_put_off_and_comes_again(
    service: SbdMailService,
) -> None:
    taken = RecordingRouter(error=Unavailable("the store is away"))
    async with mail_server(service, taken):
        assert (await service.deliver(texts=MAIL))["status"] == 451
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


async def test_a_mail_to_a_person_is_a_mail_whatever_it_looks_like(service: SbdMailService) -> None:
    taken = RecordingRouter()
    mail = ordinary(f"SBD Msg From Unit: {IMEI}", f"{IMEI}_000029.sbd").as_bytes()
    async with mail_server(service, taken) as address:
        await asyncio.to_thread(deliver, address, mail, f"boop@{DOMAIN}")
    (message,) = [one for one in taken.records if isinstance(one, Message)]
    assert message.via == "smtp"
    assert message.recipient.value == f"boop@{DOMAIN}"
    assert "See the attachment" in message.text


async def test_a_mail_to_the_network_and_a_person_reaches_both(service: SbdMailService) -> None:
    taken = RecordingRouter()
    content = SbdMailSession(imei=IMEI, momsn=1, at=AT, payload=b"\x00").mail(f"sbd@{DOMAIN}")
    async with mail_server(service, taken) as address:
        await asyncio.to_thread(deliver, address, content, f"sbd@{DOMAIN}", f"boop@{DOMAIN}")
    assert len(taken.dead_letters) == 1
    (message,) = [one for one in taken.records if isinstance(one, Message)]
    assert message.recipient.value == f"boop@{DOMAIN}"
