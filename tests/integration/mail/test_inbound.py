"""The replies, message ids and caches of MailIngest, for each answer of the router."""

import pytest

from messaging.errors import AuthorRefused, Busy, Rejected, Unavailable
from tests.support.mail.bounces import OURS
from tests.support.mail.wire import MAIL, Router, run_server

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
    router.recipient_refusals["boop@example.org"] = refusal
    async with run_server(router) as server:
        wire = await server.connect_and_greet()
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
    router.message_refusals["boop@example.org"] = refusal
    async with run_server(router) as server:
        wire = await server.connect_and_greet()
        with caplog.at_level("DEBUG"):
            answer = await wire.send()
        assert answer.startswith(reply)
        assert "swordfish" not in answer + caplog.text
        router.message_refusals.clear()
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
    router.message_refusals = {f"{name}@example.org": error for name, error in refusals.items()}
    async with run_server(router) as server:
        wire = await server.connect_and_greet()
        answer = await wire.send(MAIL, "a@example.org", "b@example.org")
        assert answer.startswith(reply)
        assert len(router.messages) == 2 - len(refusals)


@pytest.mark.parametrize(
    ("others", "reply", "kept"),
    [
        ({}, "250", [False, True]),
        ({"a": AuthorRefused("blocked")}, "550 5.7.1 blocked", []),
        ({"a": Rejected("gone")}, "550 5.7.1 gone", []),
        ({"a": Unavailable("away")}, "451", []),
    ],
)
async def test_a_mail_is_refused_for_its_author_only_where_no_recipient_accepts(
    others: dict[str, Exception], reply: str, kept: list[bool]
) -> None:
    router = Router()
    refusals = {**others, "b": AuthorRefused("blocked")}
    router.message_refusals = {f"{name}@example.org": error for name, error in refusals.items()}
    async with run_server(router) as server:
        wire = await server.connect_and_greet()
        answer = await wire.send(MAIL, "a@example.org", "b@example.org")
        assert answer.startswith(reply)
        assert [one.keeps_refusal for one in router.messages] == kept


async def test_a_repeat_has_the_same_ids_and_each_recipient_another() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        for _ in range(2):
            await wire.send(MAIL, "a@example.org", "b@example.org")
        received = b"Received: from elsewhere\r\n" + MAIL
        await wire.send(received, "a@example.org", "b@example.org")
        ids = [message.id for message in server.router.messages]
        assert ids[0] != ids[1]
        assert ids[:2] == ids[2:4] == ids[4:]


async def test_another_text_sender_or_message_id_is_another_message() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        await wire.send(MAIL)
        await wire.send(MAIL.replace(b"How", b"Who"))
        await wire.send(MAIL.replace(b"<1@", b"<2@"))
        await wire.send(MAIL, sender="eve@friends.example")
        assert len({message.id for message in server.router.messages}) == 4


async def test_a_mail_without_message_id_is_new_unless_it_was_deferred() -> None:
    content = b"Subject: ping\r\n\r\nping\r\n"
    router = Router()
    router.message_refusals["b@example.org"] = Unavailable("away")
    async with run_server(router) as server:
        wire = await server.connect_and_greet()
        assert (await wire.send(content, "a@example.org", "b@example.org")).startswith("451")
        router.message_refusals.clear()
        await wire.send(content, "a@example.org", "b@example.org")
        await wire.send(content, "a@example.org")
        first, again, other, later = (message.id for message in router.messages)
        assert first == again
        assert len({first, other, later}) == 3


async def test_acceptance_of_a_recipient_is_cached_and_refusal_is_not() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        await wire.begin("boop@example.org", "nobody@example.org", "nobody@example.org")
        await wire.say("RSET")
        await wire.begin("boop@example.org")
        asked = server.router.recipient_checks
        assert asked == ["boop@example.org", "nobody@example.org", "nobody@example.org"]


async def test_a_recipient_refused_with_the_mail_is_asked_for_again() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        await wire.send()
        server.router.message_refusals["boop@example.org"] = Rejected("gone")
        server.router.recipient_refusals["boop@example.org"] = Rejected("gone")
        await wire.send()
        assert (await wire.begin("boop@example.org"))[1] == "550 5.1.1 gone"


async def test_a_mail_without_sender_becomes_a_dead_letter_of_the_author_in_its_header() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        ours = b"References: " + OURS.encode() + b"\r\n"
        assert (await wire.send(ours + MAIL, sender="")).startswith("250")
        await wire.send(ours + b"Subject: x\r\n\r\nno author\r\n", sender="")
        kept = server.router.dead_letters
        assert [str(one.sender) for one in kept] == ["ann@friends.example", ""]
        assert {str(one.recipient) for one in kept} == {"boop@example.org"}
        assert b"How are you?" in kept[0].raw
        assert "without a sender" in kept[0].reason
        assert server.router.messages == []
        assert (server.router.report_checks, server.router.recipient_checks) == (
            ["boop@example.org"],
            [],
        )


async def test_an_empty_mail_is_refused() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        reply = await wire.send(b"From: ann@friends.example\r\n\r\n \r\n")
        assert reply == "550 5.6.0 the mail has no text"
