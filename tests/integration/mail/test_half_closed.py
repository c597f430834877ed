"""Clients that close their sending half: commands that arrived before are processed and answered."""

import asyncio
import ssl
from pathlib import Path

import pytest

from messaging.mail.smtp.settings import Patience
from tests.support.eventually import eventually
from tests.support.mail.certificates import make_certificate
from tests.support.mail.wire import MAIL, WAIT_SECONDS, Router, Wire, run_server

pytestmark = pytest.mark.anyio

BEFORE = b"EHLO me\r\nMAIL FROM:<ann@friends.example>\r\nRCPT TO:<boop@example.org>\r\nDATA\r\n"
WHOLE = BEFORE + MAIL + b".\r\n"
QUIT = b"QUIT\r\n"


async def replies_to(wire: Wire, data: bytes) -> list[str]:
    """Send `data`, close the sending half, and return the first words of all replies until the server closes."""
    wire.write(data)
    wire.writer.write_eof()
    return await all_replies(wire)


async def all_replies(wire: Wire) -> list[str]:
    found = []
    while reply := await wire.read():
        found.append(reply[:3])
    return found


@pytest.mark.parametrize(
    ("data", "replies", "count"),
    [
        (WHOLE, ["250", "250", "250", "354", "250"], 1),
        (WHOLE + QUIT, ["250", "250", "250", "354", "250", "221"], 1),
        (WHOLE + WHOLE.replace(b"<1@", b"<2@") + QUIT, ["250", "250", "250", "354", "250"] * 2 + ["221"], 2),
        (WHOLE + b"NOOP", ["250", "250", "250", "354", "250"], 1),
        (BEFORE + MAIL, ["250", "250", "250", "354"], 0),
        (BEFORE + MAIL + b".", ["250", "250", "250", "354"], 0),
        (b"EHLO me\r\n", ["250"], 0),
        (b"NOOP " + b"x" * 5000, [], 0),
        (b"STARTTLS\r\n", ["503"], 0),
        (b"", [], 0),
    ],
)  # fmt: skip
async def test_commands_before_the_end_are_answered(
    data: bytes, replies: list[str], count: int
) -> None:
    async with run_server() as server:
        wire = await server.connect()
        assert await replies_to(wire, data) == replies
        assert len(server.router.messages) == count
        await eventually(lambda: not server.open())
        assert server.in_flight() == 0


async def test_the_end_may_come_while_the_router_works() -> None:
    router, working, go = Router(), asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        working.set()
        await go.wait()

    router.before = wait
    async with run_server(router) as server:
        wire = await server.connect()
        wire.write(WHOLE)
        await working.wait()
        wire.writer.write_eof()
        go.set()
        assert (await all_replies(wire))[-1] == "250"
        assert len(router.messages) == 1


async def test_an_end_within_a_proxy_header_closes_without_a_reply() -> None:
    async with run_server(proxy_listen="127.0.0.1:0") as server:
        wire = await server.connect(port=1, greet=False)
        assert await replies_to(wire, b"PRO") == []
        await eventually(lambda: not server.open())


class TlsClient:
    """TLS over a plain connection, whose sending half can be closed while replies are still read."""

    def __init__(self, wire: Wire, context: ssl.SSLContext) -> None:
        self._wire = wire
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname="localhost")

    async def handshake(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._wire.write(self._out.read())
                await self._receive()
            else:
                self._wire.write(self._out.read())
                return

    async def _receive(self) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            data = await self._wire.reader.read(65536)
        self._in.write(data) if data else self._in.write_eof()

    def send_last(self, data: bytes, close_notify: bool, fin: bool) -> None:
        self._tls.write(data)
        if close_notify:
            with pytest.raises(ssl.SSLWantReadError):
                self._tls.unwrap()
        self._wire.write(self._out.read())
        if fin:
            self._wire.writer.write_eof()

    async def read_all(self) -> bytes:
        found = b""
        while True:
            try:
                data = self._tls.read(65536)
            except ssl.SSLWantReadError:
                await self._receive()
                continue
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return found
            if not data:
                return found
            found += data


@pytest.mark.parametrize(("close_notify", "fin"), [(True, False), (False, True), (True, True)])
async def test_commands_before_the_end_of_tls_are_answered(
    tmp_path: Path, close_notify: bool, fin: bool
) -> None:
    files = make_certificate(tmp_path)
    async with run_server(certificate=files.certificate, key=files.key) as server:
        wire = await server.connect()
        await wire.hello()
        assert (await wire.say("STARTTLS")).startswith("220")
        client = TlsClient(wire, ssl.create_default_context(cafile=files.certificate))
        await client.handshake()
        client.send_last(WHOLE + QUIT, close_notify, fin)
        lines = (await client.read_all()).decode().splitlines()
        assert [line[:3] for line in lines[-3:]] == ["354", "250", "221"]
        assert len(server.router.messages) == 1
        await eventually(lambda: not server.open())


async def test_tls_that_ends_within_a_mail_drops_it(tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    async with run_server(certificate=files.certificate, key=files.key) as server:
        wire = await server.connect()
        await wire.hello()
        await wire.say("STARTTLS")
        client = TlsClient(wire, ssl.create_default_context(cafile=files.certificate))
        await client.handshake()
        client.send_last(BEFORE + MAIL, True, True)
        assert (await client.read_all()).splitlines()[-1].startswith(b"354")
        await eventually(lambda: not server.open())
        assert server.router.messages == []


async def test_starttls_before_the_end_closes_the_connection(tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    async with run_server(certificate=files.certificate, key=files.key) as server:
        wire = await server.connect()
        assert await replies_to(wire, b"EHLO me\r\nSTARTTLS\r\n") == ["250", "220"]
        await eventually(lambda: not server.open())


async def test_a_client_that_gives_up_while_the_router_works_may_repeat_the_mail() -> None:
    router, working, go = Router(), asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        working.set()
        await go.wait()

    router.before = wait
    async with run_server(router, patience=Patience(give_up_seconds=-1.0)) as server:
        anonymous = WHOLE.replace(b"Message-ID: <1@friends.example>\r\n", b"")
        wire = await server.connect()
        wire.write(anonymous)
        await working.wait()
        wire.writer.write_eof()
        assert "250" not in (await all_replies(wire))[4:]
        await eventually(lambda: not server.open())
        go.set()
        assert await replies_to(await server.connect(), anonymous + QUIT)
        assert len(router.messages) == 1
