"""The receiver as a whole: log, draining, ports, status."""

import asyncio
import logging
import pickle
import socket

import pytest

from messaging.errors import ConfigurationError
from messaging.mail.smtp.listener import MailReceiver
from messaging.mail.smtp.settings import SmtpSettings
from tests.support.eventually import eventually
from tests.support.mail.wire import DOMAIN, MAIL, Router, run_server

pytestmark = pytest.mark.anyio


async def test_a_receiver_can_be_pickled_before_it_runs() -> None:
    receiver = pickle.loads(pickle.dumps(MailReceiver(SmtpSettings(), DOMAIN, share_port=True)))
    assert receiver.addresses == []
    assert receiver.status()["connections"] == 0


async def test_the_log_has_one_line_per_mail_and_nothing_of_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with run_server(max_bytes=5000) as server:
        wire = await server.connect_and_greet()
        with caplog.at_level(logging.DEBUG):
            await wire.send()
            await wire.send(b"\r\n \r\n")
            await wire.send(MAIL * 100)
        lines = [r for r in caplog.records if r.name.startswith("messaging")]
        assert len(lines) == 3
        assert lines[0].__dict__["message_id"] == server.router.messages[0].id
        assert "250 2.0.0" in lines[0].getMessage()
        assert "550 5.6.0" in lines[1].getMessage()
        assert f"{len(MAIL) * 100} bytes: 552 5.3.4" in lines[2].getMessage()
        assert "Hello" not in caplog.text
        assert "How are you" not in caplog.text


async def test_draining_finishes_mails_being_received_and_ends_the_other_connections() -> None:
    router = Router()
    go = asyncio.Event()
    router.before = go.wait  # type: ignore[assignment]
    async with run_server(router) as server:
        idle, busy, slow = (
            await server.connect_and_greet(),
            await server.connect_and_greet(),
            await server.connect_and_greet(),
        )
        await slow.begin("boop@example.org")
        await slow.say("DATA")
        sending = asyncio.create_task(busy.send())
        await eventually(lambda: server.in_flight() == len(MAIL))
        port = server.receiver.addresses[0].port
        draining = asyncio.create_task(server.receiver.drain())
        assert (await idle.read()).startswith("421 4.3.2")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        go.set()
        assert (await sending).startswith("250")
        assert (await busy.read()).startswith("421 4.3.2")
        assert not draining.done()
        assert (await slow.say(MAIL + b".")).startswith("250")
        async with asyncio.timeout(20):
            await draining
        assert len(router.messages) == 2


async def test_queued_connections_get_421_when_the_port_closes() -> None:
    async with run_server() as server:
        address = ("127.0.0.1", server.receiver.addresses[0].port)
        # The kernel completes these connections; they wait in the queue of the port.
        queued = [socket.create_connection(address, timeout=20) for _ in range(3)]
        await server.receiver.drain()
        for one in queued:
            with one, one.makefile() as words:
                said = await asyncio.to_thread(words.readlines)
                assert said[-1].startswith("421 4.3.2")


async def test_several_receivers_may_share_a_port() -> None:
    router = Router()
    first = MailReceiver(SmtpSettings(listen="127.0.0.1:0"), DOMAIN, share_port=True)
    running = [asyncio.create_task(first.run(router.emit))]
    await eventually(lambda: first.addresses)
    address = str(first.addresses[0])
    second = MailReceiver(SmtpSettings(listen=address), DOMAIN, share_port=True)
    running.append(asyncio.create_task(second.run(router.emit)))
    await eventually(lambda: second.addresses)
    assert str(second.addresses[0]) == address
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_a_port_in_use_is_reported() -> None:
    async with run_server() as server:
        taken = str(server.receiver.addresses[0])
        receiver = MailReceiver(SmtpSettings(listen=taken), DOMAIN)
        with pytest.raises(ConfigurationError, match="another program listens there"):
            await receiver.run(server.router.emit)


async def test_the_status_counts_replies() -> None:
    async with run_server() as server:
        wire = await server.connect_and_greet()
        await wire.send()
        await wire.send(b"\r\n\r\n")
        server.router.message_refusals["boop@example.org"] = RuntimeError()
        await wire.send()
        status = server.receiver.status()
        assert (status["accepted"], status["refused"], status["put_off"]) == (1, 1, 1)
        assert status["connections"] == 1
        assert status["listening"] == [str(server.receiver.addresses[0])]
