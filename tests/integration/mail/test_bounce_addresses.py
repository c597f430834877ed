"""A bounce that comes to the envelope sender of a mail settles its delivery, even if it names none."""

import pytest

from messaging.mail.bounce_addresses import BounceAddresses
from messaging.mail.message_ids import Reference
from messaging.model.message import Result
from messaging.simulator.mail.server import MailSink
from tests.support.mail.bounces import bounce
from tests.support.mail.outgoing import delivery, relay_at, results, send
from tests.support.mail.wire import MAIL, run_server

pytestmark = pytest.mark.anyio


def secret() -> str:
    return "a secret of this gateway"


ADDRESSES = BounceAddresses(secret)
MESSAGE = f"{7:032x}"
ADDRESS = ADDRESSES.make("boop@example.org", Reference(MESSAGE, 7))
BARE = b"From: MAILER-DAEMON@friends.example\r\nSubject: Sorry\r\n\r\nYour mail was not taken."


def test_each_mail_leaves_with_an_envelope_sender_of_its_own() -> None:
    with MailSink() as sink:
        outcomes = send(relay_at(sink.url), delivery(7), delivery(8), bounce_addresses=ADDRESSES)
        assert results(outcomes) == [Result.SENT] * 2
        first, second = sorted(sink.received, key=lambda mail: mail.message["Message-ID"])
    assert first.sender == ADDRESS != second.sender
    assert first.message["From"] == second.message["From"] == "boop@example.org"
    assert first.message["Message-ID"] == f"<{MESSAGE}.7@example.org>"


@pytest.mark.parametrize(
    ("content", "is_final", "reason"),
    [
        (BARE, True, "the mail bounced: no reason was given"),
        (b"\r\nIt could not be delivered.", True, "the mail bounced: no reason was given"),
        (
            b"From: x@friends.example\r\n\r\n550 5.1.1 User unknown",
            True,
            "the mail bounced: there is no such mailbox",
        ),
        (
            b"From: x@friends.example\r\nSubject: Undeliverable: Hello\r\n\r\n<html>gone</html>",
            True,
            "the mail bounced: no reason was given",
        ),
        (
            BARE.replace(b"was not taken", b"is delayed; we are still trying"),
            False,
            "delayed, still trying",
        ),
        (bounce(ours="<x@elsewhere.example>"), True, "there is no such mailbox"),
    ],
)
async def test_a_bounce_is_found_by_its_address(
    content: bytes, is_final: bool, reason: str
) -> None:
    async with run_server(bounce_addresses=ADDRESSES) as server:
        wire = await server.connect_and_greet()
        assert (await wire.send(content, ADDRESS.upper(), sender="")).startswith("250")
        [found] = server.router.bounces
        assert (found.delivery_id, found.message_id) == (7, MESSAGE)
        assert found.is_final is is_final
        assert reason in found.reason
        assert str(found.recipient) == "boop@example.org"
        assert (server.router.messages, server.router.dead_letters) == ([], [])


async def test_two_bounces_that_are_alike_are_two() -> None:
    async with run_server(bounce_addresses=ADDRESSES) as server:
        wire = await server.connect_and_greet()
        other = ADDRESSES.make("boop@example.org", Reference(f"{8:032x}", 8))
        content = b"Message-ID: <1@friends.example>\r\n" + BARE
        for address in (ADDRESS, other):
            assert (await wire.send(content, address, sender="")).startswith("250")
        first, second = server.router.bounces
        assert first.id != second.id
        assert (first.delivery_id, second.delivery_id) == (7, 8)


@pytest.mark.parametrize(
    "content",
    [
        b"Auto-Submitted: auto-replied\r\n" + MAIL,
        MAIL.replace(b"Subject: Hello", b"Subject: Automatic reply: Hello"),
        MAIL,
    ],
)
async def test_an_answer_to_the_address_is_no_bounce_and_is_kept(content: bytes) -> None:
    async with run_server(bounce_addresses=ADDRESSES) as server:
        wire = await server.connect_and_greet()
        assert (await wire.send(content, ADDRESS, sender="")).startswith("250")
        assert (server.router.bounces, server.router.messages) == ([], [])
        assert len(server.router.dead_letters) == 1


async def test_the_address_takes_no_mail_with_a_sender() -> None:
    async with run_server(bounce_addresses=ADDRESSES) as server:
        wire = await server.connect_and_greet()
        reply = await wire.send(MAIL, ADDRESS)
        assert reply == "550 5.7.1 this address takes reports about one mail only"
        assert server.router.messages == []
        assert (await wire.send(MAIL, "boop@example.org")).startswith("250")
        assert len(server.router.messages) == 1


async def test_an_address_that_was_not_made_here_is_any_sub_address() -> None:
    async with run_server(bounce_addresses=BounceAddresses(lambda: "another")) as server:
        wire = await server.connect_and_greet()
        assert (await wire.send(MAIL, ADDRESS)).startswith("250")
        assert [str(one.recipient) for one in server.router.messages] == [ADDRESS]
        assert (await wire.send(BARE, ADDRESS, sender="")).startswith("250")
        assert server.router.bounces == []
