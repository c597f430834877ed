"""The classification of received mail: messages, bounces, dead letters, mail loops."""

import pytest

from messaging.errors import Rejected
from messaging.model.message import message_id
from tests.support.mail.bounces import OURS, bounce
from tests.support.mail.wire import MAIL, Router, run_server

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("sender", ["", "postmaster@friends.example"])
async def test_a_bounce_names_its_delivery_and_reaches_no_device(sender: str) -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        assert (await wire.send(bounce(), sender=sender)).startswith("250")
        assert (await wire.send(bounce(), sender=sender)).startswith("250")
        first, again = server.router.bounces
        assert first == again
        assert (first.delivery_id, first.message_id) == (7, "0123456789abcdef" * 2)
        assert first.is_final
        assert "there is no such mailbox" in first.reason
        assert str(first.recipient) == "boop@example.org"
        assert (server.router.messages, server.router.dead_letters) == ([], [])


async def test_a_bounce_is_accepted_for_an_inactive_subscriber() -> None:
    router = Router()
    router.recipient_refusals["boop@example.org"] = Rejected(
        "this subscriber does not take messages now"
    )
    async with run_server(router) as server:
        wire = await server.connect_and_greet()
        assert (await wire.begin("boop@example.org", sender="ann@x.example"))[1].startswith("550")
        await wire.say("RSET")
        router.recipient_refusals.clear()
        assert (await wire.send(bounce(), sender="")).startswith("250")
        assert router.report_checks == ["boop@example.org"]


async def test_a_warning_that_a_mail_is_late_is_not_final() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        await wire.send(bounce(action="delayed"), sender="")
        assert [one.is_final for one in server.router.bounces] == [False]


async def test_a_bounce_because_we_refused_our_own_mail_is_not_final() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        await wire.send(bounce(recipient="boop@example.org"), sender="")
        assert [one.is_final for one in server.router.bounces] == [False]


async def test_a_bounce_about_a_foreign_mail_is_accepted_and_not_kept() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        foreign = bounce(ours="<x@elsewhere.example>")
        assert (await wire.send(foreign, sender="")).startswith("250")
        router = server.router
        assert (router.dead_letters, router.bounces, router.messages) == ([], [], [])


@pytest.mark.parametrize("sender", ["", "ann@friends.example"])
async def test_an_automatic_answer_to_nothing_of_ours_is_accepted_and_not_kept(sender: str) -> None:
    away = b"Auto-Submitted: auto-replied\r\n" + MAIL
    async with run_server() as server:
        wire = await server.connect_and_greet()
        assert (await wire.send(away, sender=sender)).startswith("250")
        assert (server.router.dead_letters, server.router.messages) == ([], [])


async def test_an_automatic_answer_to_our_mail_becomes_one_dead_letter_for_all_recipients() -> None:
    answered = b"Auto-Submitted: auto-replied\r\nIn-Reply-To: " + OURS.encode() + b"\r\n" + MAIL
    async with run_server() as server:
        wire = await server.connect_and_greet()
        people = [f"user{n}@example.org" for n in range(20)]
        assert (await wire.send(answered, *people, sender="")).startswith("250")
        (kept,) = server.router.dead_letters
        assert kept.reason.endswith("(19 more recipients)")


async def test_an_automatic_answer_to_our_mail_becomes_a_dead_letter() -> None:
    away = b"Auto-Submitted: auto-replied\r\nIn-Reply-To: " + OURS.encode() + b"\r\n" + MAIL
    async with run_server() as server:
        wire = await server.connect_and_greet()
        assert (await wire.send(away)).startswith("250")
        (kept,) = server.router.dead_letters
        assert kept.reason == "an automatic answer: these are not sent to devices"
        assert str(kept.sender) == "ann@friends.example"
        assert kept.id == message_id(
            "mail", "<1@friends.example>", "ann@friends.example", "boop@example.org", "Hello",
            "How are you?",
        )  # fmt: skip
        assert server.router.messages == []


async def test_mail_of_people_lists_and_machines_is_delivered_and_only_people_get_notices() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        for header in (b"", b"List-Id: <l.x.example>\r\n", b"Auto-Submitted: auto-generated\r\n"):
            await wire.send(header + MAIL.replace(b"<1@", b"<1%d@" % len(header)))
        told = [message.wants_notice for message in server.router.messages]
        assert told == [True, False, False]
        assert server.router.messages[0].reference == "<10@friends.example>"


@pytest.mark.parametrize(("hops", "reply"), [(50, "250"), (51, "554 5.4.6")])
async def test_a_mail_that_passed_too_many_servers_is_refused(hops: int, reply: str) -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        way = b"".join(b"Received: from a%d by b\r\n" % n for n in range(hops))
        assert (await wire.send(way + MAIL)).startswith(reply)
        assert len(server.router.messages) == (reply == "250")


async def test_our_own_mail_is_not_taken_back() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        ours = MAIL.replace(b"<1@friends.example>", OURS.encode())
        assert (await wire.send(ours)).startswith("554 5.4.6")
        answer = MAIL.replace(b"Subject", b"In-Reply-To: " + OURS.encode() + b"\r\nSubject")
        assert (await wire.send(answer)).startswith("250")
        assert len(server.router.messages) == 1


@pytest.mark.parametrize(
    "sender",
    [
        "prvs=1234567890=ann@x.example",
        "btv1==983c44cee94==ann@x.example",
        "ann+caf_=boop=example.org@mail.example",
        "SRS0=abcd=xy=x.example=ann@forward.example",
        "bounces+123@service.example",
    ],
)
async def test_the_author_is_shown_and_the_envelope_sender_hears_of_failures(sender: str) -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        mail = b"From: Ann <ann@x.example>\r\nReply-To: desk@x.example\r\nSubject: s\r\n\r\nhi\r\n"
        assert (await wire.send(mail, sender=sender)).startswith("250")
        [message] = server.router.messages
        assert (message.sender.value, message.return_path) == ("ann@x.example", sender)
        assert message.answer_address == "desk@x.example"


async def test_without_one_author_the_envelope_sender_is_the_author() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        mail = b"From: ann@x.example, bob@y.example\r\nSubject: s\r\n\r\nhi\r\n"
        await wire.send(mail, sender="carl@z.example")
        assert server.router.messages[0].sender.value == "carl@z.example"


async def test_lists_and_machines_take_no_answers() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        for header in (b"", b"List-Id: <l.x.example>\r\n"):
            await wire.send(header + MAIL.replace(b"<1@", b"<2%d@" % len(header)))
        assert [one.takes_answers for one in server.router.messages] == [True, False]
