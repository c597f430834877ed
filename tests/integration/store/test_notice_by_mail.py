"""From the mail that fails to the notice in its author's mailbox, and from a bounce back to what it is about."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from messaging.errors import Rejected
from messaging.mail.dsn_mime import FAILED
from messaging.model.message import Delivery, Inbound
from messaging.simulator.mail.server import MailSink
from messaging.store.models import Delivery as Row
from messaging.store.models import Message as StoredMessage
from messaging.store.states import State
from tests.support.mail.bounces import bounce
from tests.support.mail.outgoing import relay_at, send
from tests.support.mail.wire import MAIL, Router, run_server
from tests.support.store import records as g
from tests.support.store.records import Clock, Gateway


@pytest.fixture
def clock() -> Clock:
    """The real time once: senders look at their own clock."""
    return Clock(timezone.now())


class Through(Router):
    """Keeps what is offered, for the real router: the ORM refuses to work on an event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.offered: list[Inbound] = []

    async def emit(self, inbound: Inbound) -> None:
        self.offered.append(inbound)


async def received(content: bytes, sender: str) -> list[Inbound]:
    """What mail-in makes of a mail."""
    router = Through()
    async with run_server(router) as server:
        wire = await server.connect_and_greet()
        assert (await wire.send(content, sender=sender)).startswith("250")
    return router.offered


def test_the_author_finds_a_notice_in_the_thread_of_the_mail(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    offered = asyncio.run(received(MAIL, "ann@friends.example"))
    results = gateway.router.process(offered)
    [delivery] = [d for result in results if isinstance(result, list) for d in result]
    gateway.settle(delivery, Rejected("the device is not known to its network"))
    [told] = gateway.owed()
    with MailSink() as sink:
        _send(sink, told)
        [notice] = sink.received
    assert (notice.sender, notice.recipients) == ("", ("ann@friends.example",))
    assert notice.message["In-Reply-To"] == "<1@friends.example>"
    people, status, _ = notice.message.iter_parts()
    assert 'Your message "Hello" to boop@example.org' in people.get_content()
    assert f"Status: {FAILED}" in status.as_string()
    offered = asyncio.run(received(notice.message.as_bytes().replace(b".org>", b".com>"), ""))
    assert all(isinstance(result, list) for result in gateway.router.process(offered))
    assert gateway.owed() == []


def test_a_bounce_finds_the_mail_that_a_device_sent(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    delivery = gateway.take_one(g.uplink(g.email("mum@example.com")))
    with MailSink() as sink:
        _send(sink, delivery)
        [mail] = sink.received
    gateway.settle(delivery)
    ours = str(mail.message["Message-ID"])
    returned = bounce(ours=ours, recipient="mum@example.com")
    assert gateway.router.process(asyncio.run(received(returned, mail.sender))) == [[], []]
    assert Row.objects.get().state == State.FAILED
    assert "there is no such mailbox" in Row.objects.get().reason
    assert StoredMessage.objects.count() == 1


def _send(sink: MailSink, delivery: Delivery) -> None:
    until = datetime.now(UTC) + timedelta(seconds=100)
    [outcome] = send(relay_at(sink.url), replace(delivery, lease_until=until))
    assert outcome.result == "sent", outcome.reason
