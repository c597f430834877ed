"""What the router's answers become: replies, ids, and memory of what was not answered yet."""

import pytest

from messaging.errors import Busy, Rejected, Unavailable
from tests.support.mail.wire import LETTER, Router, post

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("refusal", "reply"),
    [
        (Rejected("no\r\n250 such user"), "550 5.1.1 no 250 such user"),
        (Busy("full"), "452 4.3.1"),
        (Unavailable("the router 10.0.0.1 is away"), "451 4.3.0 temporary failure"),
        (RuntimeError("password=swordfish"), "451 4.3.0 temporary failure"),
    ],
)
async def test_the_router_decides_about_recipients(refusal: Exception, reply: str) -> None:
    router = Router()
    router.no["boop@example.org"] = refusal
    async with post(router) as place:
        wire = await place.greeted()
        answer = (await wire.begin("boop@example.org"))[1]
        assert answer.startswith(reply)
        assert not any(secret in answer for secret in ("swordfish", "10.0.0.1"))


@pytest.mark.parametrize(
    ("refusal", "reply"),
    [
        (Rejected("the owner takes no mail"), "550 5.7.1 the owner takes no mail"),
        (Busy("full"), "452 4.3.1"),
        (Unavailable("the store is away"), "451 4.3.0"),
        (RuntimeError("password=swordfish"), "451 4.3.0"),
    ],
)
async def test_the_router_decides_about_mails(
    refusal: Exception, reply: str, caplog: pytest.LogCaptureFixture
) -> None:
    router = Router()
    router.no_message["boop@example.org"] = refusal
    async with post(router) as place:
        wire = await place.greeted()
        with caplog.at_level("DEBUG"):
            answer = await wire.send()
        assert answer.startswith(reply)
        assert "swordfish" not in answer + caplog.text
        router.no_message.clear()
        assert (await wire.send()).startswith("250")


@pytest.mark.parametrize(
    ("refusals", "reply"),
    [
        ({"a": Rejected("no"), "b": Rejected("never")}, "550 5.7.1 no"),
        ({"a": Rejected("no")}, "451"),
        ({"a": Busy("full")}, "452"),
        ({"a": Busy("full"), "b": Unavailable("away")}, "451"),
        ({"b": RuntimeError()}, "451"),
        ({}, "250"),
    ],
)
async def test_several_recipients_get_one_answer(
    refusals: dict[str, Exception], reply: str
) -> None:
    router = Router()
    router.no_message = {f"{name}@example.org": error for name, error in refusals.items()}
    async with post(router) as place:
        wire = await place.greeted()
        answer = await wire.send(LETTER, "a@example.org", "b@example.org")
        assert answer.startswith(reply)
        assert len(router.messages) == 2 - len(refusals)


async def test_a_repeat_has_the_same_ids_and_each_recipient_another() -> None:
    async with post() as place:
        wire = await place.greeted()
        for _ in range(2):
            await wire.send(LETTER, "a@example.org", "b@example.org")
        received = b"Received: from elsewhere\r\n" + LETTER
        await wire.send(received, "a@example.org", "b@example.org")
        ids = [message.id for message in place.router.messages]
        assert ids[0] != ids[1]
        assert ids[:2] == ids[2:4] == ids[4:]


async def test_another_text_sender_or_message_id_is_another_message() -> None:
    async with post() as place:
        wire = await place.greeted()
        await wire.send(LETTER)
        await wire.send(LETTER.replace(b"How", b"Who"))
        await wire.send(LETTER.replace(b"<1@", b"<2@"))
        await wire.send(LETTER, sender="eve@friends.example")
        assert len({message.id for message in place.router.messages}) == 4


async def test_a_mail_without_message_id_is_new_unless_it_was_put_off() -> None:
    letter = b"Subject: ping\r\n\r\nping\r\n"
    router = Router()
    router.no_message["b@example.org"] = Unavailable("away")
    async with post(router) as place:
        wire = await place.greeted()
        assert (await wire.send(letter, "a@example.org", "b@example.org")).startswith("451")
        router.no_message.clear()
        await wire.send(letter, "a@example.org", "b@example.org")
        await wire.send(letter, "a@example.org")
        first, again, other, later = (message.id for message in router.messages)
        assert first == again
        assert len({first, other, later}) == 3


async def test_a_yes_to_a_recipient_is_remembered_and_a_no_is_not() -> None:
    async with post() as place:
        wire = await place.greeted()
        await wire.begin("boop@example.org", "nobody@example.org", "nobody@example.org")
        await wire.say("RSET")
        await wire.begin("boop@example.org")
        asked = place.router.inquiries
        assert asked == ["boop@example.org", "nobody@example.org", "nobody@example.org"]


async def test_a_recipient_refused_with_the_mail_is_asked_for_again() -> None:
    async with post() as place:
        wire = await place.greeted()
        await wire.send()
        place.router.no_message["boop@example.org"] = Rejected("gone")
        place.router.no["boop@example.org"] = Rejected("gone")
        await wire.send()
        assert (await wire.begin("boop@example.org"))[1] == "550 5.1.1 gone"


async def test_what_nobody_sent_is_kept_for_people_and_from_whom_its_header_names() -> None:
    async with post() as place:
        wire = await place.greeted()
        assert (await wire.send(LETTER, sender="")).startswith("250")
        await wire.send(b"Subject: x\r\n\r\nno author\r\n", sender="")
        kept = place.router.kept
        assert [str(one.sender) for one in kept] == ["ann@friends.example", ""]
        assert {str(one.recipient) for one in kept} == {"boop@example.org"}
        assert b"How are you?" in kept[0].raw
        assert "without a sender" in kept[0].reason
        assert place.router.messages == []
        assert (place.router.reports_asked, place.router.inquiries) == (["boop@example.org"], [])


async def test_a_mail_that_says_nothing_is_refused() -> None:
    async with post() as place:
        wire = await place.greeted()
        reply = await wire.send(b"From: ann@friends.example\r\n\r\n \r\n")
        assert reply == "550 5.6.0 the mail has no text"
