"""MailSession without a connection: the four methods and their replies."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing

from messaging.errors import Unavailable
from messaging.mail.smtp import replies
from messaging.mail.smtp.server import SmtpServer
from messaging.mail.smtp.session import MailCollector, MailSession
from messaging.mail.smtp.settings import SmtpSettings
from tests.support.mail.wire import DOMAIN, MAIL, Router

BOOP = f"boop@{DOMAIN}"


@asynccontextmanager
async def new_session(router: Router, **limits: int) -> AsyncIterator[MailSession]:
    server = SmtpServer(SmtpSettings(**limits), DOMAIN, router.emit)  # type: ignore[arg-type]
    try:
        yield MailSession(server, "192.0.2.1")
    finally:
        await server.close()


async def send_data(session: MailSession, content: bytes = MAIL) -> str:
    settings, budget = session.server.settings, session.server.bytes_in_flight
    with closing(MailCollector(settings.max_bytes, budget)) as collector:
        assert collector.feed(content + b".\r\n") == b""
        return await session.data(collector)


def run(test: Callable[[MailSession], Awaitable[None]], router: Router, **limits: int) -> None:
    async def run_session() -> None:
        async with new_session(router, **limits) as session:
            await test(session)

    asyncio.run(run_session())


def test_a_transaction_becomes_a_message() -> None:
    router = Router()

    async def send(session: MailSession) -> None:
        assert session.mail("ann@friends.example", 0) == replies.SENDER_OK
        assert await session.rcpt(BOOP) == replies.RECIPIENT_OK
        assert await session.rcpt(BOOP) == replies.RECIPIENT_OK
        reply = await send_data(session)
        assert reply == f"{replies.ACCEPTED} {router.messages[0].id}"
        session.reset()
        assert (session.sender, session.recipients) == (None, [])

    run(send, router)
    (message,) = router.messages
    assert (message.sender.value, message.recipient.value) == ("ann@friends.example", BOOP)


def test_an_announced_size_over_the_limit_opens_no_transaction() -> None:
    async def announce(session: MailSession) -> None:
        assert session.mail("ann@friends.example", 5001) == replies.TOO_BIG
        assert session.sender is None

    run(announce, Router(), max_bytes=5000)


def test_refused_recipients_are_not_in_the_transaction() -> None:
    router = Router()
    router.recipient_refusals[BOOP] = Unavailable("the store is away")

    async def ask(session: MailSession) -> None:
        session.mail("ann@friends.example", 0)
        assert (await session.rcpt(f"nobody@{DOMAIN}")).startswith("550 5.1.1")
        assert await session.rcpt(BOOP) == replies.LATER
        assert session.recipients == []

    run(ask, router)


def test_a_mail_over_a_limit_is_counted_and_never_reaches_the_router() -> None:
    router = Router()

    async def send(session: MailSession) -> None:
        session.mail("ann@friends.example", 0)
        await session.rcpt(BOOP)
        assert await send_data(session, MAIL + b"x" * 5000 + b"\r\n") == replies.TOO_BIG
        session.server.bytes_in_flight.used += 5000
        assert await send_data(session) == replies.BUSY
        assert (session.server.ingest.refused, session.server.ingest.deferred) == (1, 1)

    run(send, router, max_bytes=5000, max_bytes_in_flight=5000)
    assert router.messages == []
