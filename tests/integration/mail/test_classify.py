"""What comes in by mail is for a device, about a mail of ours, or for people to look at; or goes round in circles."""

import pytest

from messaging.errors import Rejected
from messaging.model.message import message_id
from tests.support.mail.bounces import OURS, bounce
from tests.support.mail.wire import LETTER, Router, post

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("sender", ["", "postmaster@friends.example"])
async def test_a_bounce_settles_what_it_is_about_and_reaches_no_device(sender: str) -> None:
    async with post() as place:
        wire = await place.greeted()
        assert (await wire.send(bounce(), sender=sender)).startswith("250")
        assert (await wire.send(bounce(), sender=sender)).startswith("250")
        first, again = place.router.bounces
        assert first == again
        assert (first.delivery_id, first.message_id) == (7, "0123456789abcdef" * 2)
        assert first.is_final
        assert "there is no such mailbox" in first.reason
        assert str(first.recipient) == "boop@example.org"
        assert (place.router.messages, place.router.kept) == ([], [])


async def test_a_bounce_is_taken_for_somebody_who_takes_no_messages_now() -> None:
    router = Router()
    router.no["boop@example.org"] = Rejected("this subscriber does not take messages now")
    async with post(router) as place:
        wire = await place.greeted()
        assert (await wire.begin("boop@example.org", sender="ann@x.example"))[1].startswith("550")
        await wire.say("RSET")
        router.no.clear()
        assert (await wire.send(bounce(), sender="")).startswith("250")
        assert router.reports_asked == ["boop@example.org"]


async def test_a_warning_that_a_mail_is_late_is_not_final() -> None:
    async with post() as place:
        wire = await place.greeted()
        await wire.send(bounce(action="delayed"), sender="")
        assert [one.is_final for one in place.router.bounces] == [False]


async def test_a_bounce_because_we_refused_our_own_mail_is_not_final() -> None:
    async with post() as place:
        wire = await place.greeted()
        await wire.send(bounce(recipient="boop@example.org"), sender="")
        assert [one.is_final for one in place.router.bounces] == [False]


async def test_a_bounce_about_somebody_elses_mail_is_kept_for_people() -> None:
    async with post() as place:
        wire = await place.greeted()
        foreign = bounce(ours="<x@elsewhere.example>")
        assert (await wire.send(foreign, sender="")).startswith("250")
        assert len(place.router.kept) == 1
        assert (place.router.bounces, place.router.messages) == ([], [])


async def test_an_automatic_answer_is_kept_for_people() -> None:
    away = b"Auto-Submitted: auto-replied\r\n" + LETTER
    async with post() as place:
        wire = await place.greeted()
        assert (await wire.send(away)).startswith("250")
        (kept,) = place.router.kept
        assert kept.reason == "an automatic answer: these are not sent to devices"
        assert str(kept.sender) == "ann@friends.example"
        assert kept.id == message_id(
            "mail", "<1@friends.example>", "ann@friends.example", "boop@example.org", "Hello",
            "How are you?",
        )  # fmt: skip
        assert place.router.messages == []


async def test_what_a_person_a_list_and_a_machine_write_is_delivered_and_only_the_person_told() -> (
    None
):
    async with post() as place:
        wire = await place.greeted()
        for header in (b"", b"List-Id: <l.x.example>\r\n", b"Auto-Submitted: auto-generated\r\n"):
            await wire.send(header + LETTER.replace(b"<1@", b"<1%d@" % len(header)))
        told = [message.wants_notice for message in place.router.messages]
        assert told == [True, False, False]
        assert place.router.messages[0].reference == "<10@friends.example>"


@pytest.mark.parametrize(("hops", "reply"), [(50, "250"), (51, "554 5.4.6")])
async def test_a_mail_that_passed_too_many_servers_is_refused(hops: int, reply: str) -> None:
    async with post() as place:
        wire = await place.greeted()
        way = b"".join(b"Received: from a%d by b\r\n" % n for n in range(hops))
        assert (await wire.send(way + LETTER)).startswith(reply)
        assert len(place.router.messages) == (reply == "250")


async def test_our_own_mail_is_not_taken_back() -> None:
    async with post() as place:
        wire = await place.greeted()
        ours = LETTER.replace(b"<1@friends.example>", OURS.encode())
        assert (await wire.send(ours)).startswith("554 5.4.6")
        answer = LETTER.replace(b"Subject", b"In-Reply-To: " + OURS.encode() + b"\r\nSubject")
        assert (await wire.send(answer)).startswith("250")
        assert len(place.router.messages) == 1
