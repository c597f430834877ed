"""The replies to SMTP commands, over real sockets."""

import pytest

from tests.support.eventually import eventually
from tests.support.mail.wire import MAIL, run_server

pytestmark = pytest.mark.anyio


async def test_a_mail_becomes_a_message() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        reply = await wire.send()
        (message,) = server.router.messages
        assert reply == f"250 2.0.0 accepted {message.id}"
        assert str(message.sender) == "ann@friends.example"
        assert str(message.recipient) == "boop@example.org"
        assert (message.subject, message.text, message.via) == ("Hello", "How are you?", "smtp")


async def test_the_greeting_lists_the_extensions_and_names_no_software() -> None:
    async with run_server(hostname="mx.example.org", max_bytes=1000) as server:
        wire = await server.connect(greet=False)
        greeting = await wire.read()
        offers = (await wire.hello()).split("\n")
        assert greeting == "220 mx.example.org ESMTP"
        assert offers == [
            "250-mx.example.org",
            "250-SIZE 1000",
            "250-8BITMIME",
            "250-SMTPUTF8",
            "250-PIPELINING",
            "250 ENHANCEDSTATUSCODES",
        ]


async def test_many_mails_go_over_one_connection() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        for number in range(50):
            content = MAIL.replace(b"<1@", b"<%d@" % number)
            assert (await wire.send(content)).startswith("250 2.0.0")
        assert len({message.id for message in server.router.messages}) == 50


@pytest.mark.parametrize(
    ("recipient", "reply"),
    [
        ("<boop@example.org>", "250 2.1.5"),
        ("<BOOP@Example.ORG>", "250 2.1.5"),
        ("<boop+news@example.org>", "250 2.1.5"),
        ("<boop@example.org.>", "250 2.1.5"),
        ('<"boop"@example.org>', "250 2.1.5"),
        ("<@relay.example,@other.example:boop@example.org>", "250 2.1.5"),
        (" <boop@example.org>", "250 2.1.5"),
        ("boop@example.org", "250 2.1.5"),
        ("<postmaster>", "250 2.1.5"),
        ("<nobody@example.org>", "550 5.1.1"),
        ("<boop@elsewhere.example>", "550 5.7.1"),
        ("<boop@sub.example.org>", "550 5.7.1"),
        ("<boop@[127.0.0.1]>", "550 5.7.1"),
        ("<@example.org:boop@elsewhere.example>", "550 5.7.1"),
        ("<boop%elsewhere.example@example.org@elsewhere.example>", "501 5.1.3"),
        ("<boop>", "501 5.1.3"),
        ("<>", "501 5.1.3"),
        ("", "501 5.5.4"),
        ("<", "501 5.5.4"),
        ("<boop@example.org", "501 5.5.4"),
        ("boop@example.org>", "501 5.5.4"),
        ("<bo op@example.org>", "501 5.1.3"),
        ('<"bo op"@example.org>', "550 5.1.1"),
        ('<"boop@example.org>', "501 5.5.4"),
        ("<+news@example.org>", "550 5.1.1"),
        ("<" + "x" * 70 + "@example.org>", "550 5.1.1"),
        ("<" + "x" * 400 + "@example.org>", "501 5.1.3"),
        ("<bo\x00op@example.org>", "501 5.1.3"),
        ("<boop@example.org> NOTIFY=NEVER", "555 5.5.4"),
        ("<boop@example.org> =", "501 5.5.4"),
    ],
)
async def test_each_recipient_is_answered(recipient: str, reply: str) -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        await wire.begin()
        assert (await wire.say(f"RCPT TO:{recipient}")).startswith(reply)


@pytest.mark.parametrize(
    ("sender", "reply"),
    [
        ("FROM:<ann@friends.example>", "250 2.1.0"),
        ("from:<ann@friends.example> SIZE=100 BODY=8BITMIME SMTPUTF8", "250 2.1.0"),
        ("FROM:<>", "250 2.1.0"),
        ("FROM:<root>", "250 2.1.0"),
        ("FROM:ann@friends.example", "250 2.1.0"),
        ('FROM:<"a b>c"@friends.example>', "250 2.1.0"),
        ("FROM:<ann@[192.0.2.1]>", "250 2.1.0"),
        ("FROM:<änn@friends.example>", "250 2.1.0"),
        ("FROM:<ann@friends.example> SIZE=10485760", "250 2.1.0"),
        ("FROM:<ann@friends.example> SIZE=10485761", "552 5.3.4"),
        ("FROM:<ann@friends.example> SIZE=lots", "501 5.5.4"),
        ("FROM:<ann@friends.example> SIZE=-1", "501 5.5.4"),
        ("FROM:<ann@friends.example> BODY=BINARYMIME", "501 5.5.4"),
        ("FROM:<ann@friends.example> SMTPUTF8=yes", "501 5.5.4"),
        ("FROM:<ann@friends.example> SIZE=1 SIZE=1", "501 5.5.4"),
        ("FROM:<ann@friends.example> AUTH=<>", "555 5.5.4"),
        ("FROM:<a@b@c>", "501 5.1.7"),
        ("TO:<ann@friends.example>", "501 5.5.4"),
        ("", "501 5.5.4"),
    ],
)
async def test_each_sender_is_answered(sender: str, reply: str) -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        assert (await wire.say(f"MAIL {sender}".strip())).startswith(reply)


async def test_bytes_that_are_no_text_are_refused_in_addresses() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        assert (await wire.say(b"MAIL FROM:<\xff@friends.example>")).startswith("501 5.1.7")


async def test_the_same_recipient_twice_is_one_message() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        recipients = ("boop@example.org", "Boop@EXAMPLE.org")
        assert (await wire.send(MAIL, *recipients)).startswith("250")
        assert len(server.router.messages) == 1


async def test_a_recipient_keeps_the_name_of_a_device() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        recipients = (
            "boop@example.org",
            "Boop+Spare-Boat@example.org",
            "boop+spare-boat@example.org",
        )
        assert (await wire.send(MAIL, *recipients)).startswith("250")
        found = [one.recipient.value for one in server.router.messages]
        assert found == ["boop@example.org", "boop+spare-boat@example.org"]


async def test_too_many_recipients_are_deferred() -> None:
    async with run_server(max_recipients=2) as server:
        wire = await server.connect_and_greet()
        replies = await wire.begin(*(f"{name}@example.org" for name in "abca"))
        assert [reply[:3] for reply in replies] == ["250", "250", "250", "452", "250"]


async def test_eight_bit_headers_survive_without_smtputf8() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        await wire.send("Subject: Grüße aus Köln ✓\r\n\r\nhallo\r\n".encode())
        assert server.router.messages[0].subject == "Grüße aus Köln ✓"


@pytest.mark.parametrize(
    "command",
    [
        "VRFY boop",
        "EXPN list",
        "HELP",
        "AUTH PLAIN AGJvb3AAc3dvcmRmaXNo",
        "STARTTLS",
        "NOOP",
        "RSET",
    ],
)
async def test_other_commands_are_answered_with_a_status_code(command: str) -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        reply = await wire.say(command)
        assert reply[:3].isdigit()
        assert reply[4:9] in ("2.5.0", "5.5.1", "2.0.0")
        assert (await wire.send()).startswith("250")


async def test_commands_out_of_order_are_refused() -> None:
    async with run_server() as server:
        wire = await server.connect()
        assert (await wire.say("MAIL FROM:<a@b>")).startswith("503 5.5.1")
        await wire.hello()
        assert (await wire.say("RCPT TO:<boop@example.org>")).startswith("503 5.5.1")
        assert (await wire.say("DATA")).startswith("503 5.5.1")
        await wire.say("MAIL FROM:<a@b>")
        assert (await wire.say("MAIL FROM:<a@b>")).startswith("503 5.5.1")
        assert (await wire.say("DATA")).startswith("503 5.5.1")
        assert (await wire.say("EHLO")).startswith("501 5.5.4")
        assert (await wire.say("QUIT")).startswith("221 2.0.0")
        assert await wire.read() == ""


async def test_commands_may_be_sent_ahead() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        begin = b"MAIL FROM:<a@b>\r\nRCPT TO:<boop@example.org>\r\nDATA\r\n"
        wire.write(begin)
        assert [(await wire.read())[:3] for _ in range(3)] == ["250", "250", "354"]
        wire.write(MAIL + b".\r\n" + begin)
        assert [(await wire.read())[:3] for _ in range(4)] == ["250", "250", "250", "354"]
        wire.write(MAIL + b".\r\nQUIT\r\n")
        assert [(await wire.read())[:3] for _ in range(2)] == ["250", "221"]
        assert len(server.router.messages) == 2


@pytest.mark.parametrize("nonsense", [b"", b"\xff\xfe\xfd", b"GET / HTTP/1.1", b"x" * 5000])
async def test_malformed_commands_end_the_session(nonsense: bytes) -> None:
    async with run_server() as server:
        wire = await server.connect()
        replies = []
        while reply := await wire.say(nonsense):
            replies.append(reply)
            assert len(replies) < 50
        assert replies[0].startswith("500 5.5.2")
        assert replies[-1][:3] in ("421", "502")


async def test_endless_commands_that_lead_to_no_mail_end_the_session() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        wire.write(b"NOOP\r\n" * 1300)
        replies = []
        while reply := await wire.read():
            replies.append(reply)
        assert replies[-1].startswith("421 4.7.0")


async def test_a_connection_lost_within_a_mail_frees_its_bytes() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        await wire.begin("boop@example.org")
        await wire.say("DATA")
        wire.write(MAIL)
        await wire.writer.drain()
        await wire.close()
        await eventually(lambda: not server.open())
        assert server.receiver.status()["bytes_in_flight"] == 0
        assert server.router.messages == []
