"""The admission of connections, their timeouts, and the PROXY protocol."""

import asyncio
import logging
import socket
import struct

import pytest

from messaging.mail.smtp.wire import LINGER_SECONDS
from tests.support.eventually import eventually
from tests.support.mail.wire import run_server

pytestmark = pytest.mark.anyio


async def test_connections_are_bounded_in_all() -> None:
    async with run_server(max_connections=2) as server:
        first = await server.connect()
        await server.connect()
        third = await server.connect(greet=False)
        assert (await third.read()).startswith("421 4.7.0")
        assert await third.read() == ""
        await first.say("QUIT")
        await first.close()
        await eventually(lambda: server.open() == 1)
        assert (await (await server.connect_and_greet()).send()).startswith("250")
        assert server.receiver.status()["turned_away"] == 1


async def test_connections_are_bounded_per_client() -> None:
    async with run_server(max_connections_per_client=1) as server:
        await server.connect()
        second = await server.connect(greet=False)
        assert (await second.read()).startswith("421 4.7.0")


async def test_a_refused_connection_holds_no_socket() -> None:
    async with run_server(max_connections=1) as server:
        await server.connect()
        client = await server.connect(greet=False)
        assert (await client.read()).startswith("421 4.7.0")
        async with asyncio.timeout(LINGER_SECONDS * 0.8):
            await eventually(lambda: server.open() == 1)  # although the client has not closed


async def test_an_idle_client_is_disconnected() -> None:
    async with run_server(idle_seconds=0.2) as server:
        wire = await server.connect()
        assert (await wire.read()).startswith("421 4.4.2")
        assert await wire.read() == ""


async def test_a_client_that_is_slow_within_a_mail_is_disconnected() -> None:
    async with run_server(idle_seconds=5, data_seconds=0.3) as server:
        wire = await server.connect_and_greet()
        await wire.begin("boop@example.org")
        await wire.say("DATA")

        async def trickle() -> None:
            while not wire.writer.is_closing():
                wire.write(b"x")
                await asyncio.sleep(0.02)

        trickling = asyncio.create_task(trickle())
        assert (await wire.read()).startswith("421 4.4.2")
        trickling.cancel()
        assert server.router.messages == []


async def test_a_client_that_floods_and_never_reads_is_cut_off() -> None:
    async with run_server() as server:
        wire = await server.connect(greet=False)
        wire.write(b"NOOP\r\n" * 20_000)
        await eventually(server.open)
        await eventually(lambda: not server.open())


def v2(command: int, family: int, body: bytes) -> bytes:
    head = b"\r\n\r\n\x00\r\nQUIT\n"
    return head + struct.pack("!BBH", 0x20 | command, family, len(body)) + body


PROXY_V4 = v2(1, 0x11, socket.inet_aton("203.0.113.7") * 2 + struct.pack("!HH", 1, 2))


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY TCP4 203.0.113.7 192.0.2.1 4444 25\r\n",
        b"PROXY TCP6 2001:db8::7 2001:db8::1 4444 25\r\n",
        b"PROXY UNKNOWN\r\n",
        PROXY_V4,
        v2(0, 0, b""),
    ],
)
async def test_a_proxy_header_opens_the_proxies_port(header: bytes) -> None:
    async with run_server(proxy_listen="127.0.0.1:0") as server:
        wire = await server.connect(port=1, greet=False)
        wire.write(header)
        assert (await wire.read()).startswith("220")
        await wire.hello()
        assert (await wire.send()).startswith("250")


@pytest.mark.parametrize(
    "header",
    [
        b"EHLO client.example\r\n",
        b"PROXY TCP4 nowhere 192.0.2.1 4444 25\r\n",
        b"PROXY\r\n",
        b"\r\n\r\n\x00\r\nQUIT\n\x99\x11\x00\x00",
    ],
)
async def test_without_a_valid_proxy_header_there_is_no_reply(header: bytes) -> None:
    async with run_server(proxy_listen="127.0.0.1:0") as server:
        wire = await server.connect(port=1, greet=False)
        wire.write(header)
        assert await wire.read() == ""


async def test_a_proxy_header_on_the_usual_port_is_no_command() -> None:
    async with run_server(proxy_listen="127.0.0.1:0") as server:
        wire = await server.connect()
        reply = await wire.say("PROXY TCP4 203.0.113.7 192.0.2.1 4444 25")
        assert reply.startswith("500")


async def test_clients_behind_a_proxy_are_counted_and_logged_by_their_own_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with run_server(proxy_listen="127.0.0.1:0", max_connections_per_client=1) as server:
        first = await server.connect(port=1, greet=False)
        first.write(PROXY_V4)
        assert (await first.read()).startswith("220")
        second = await server.connect(port=1, greet=False)
        second.write(PROXY_V4)
        assert (await second.read()).startswith("421 4.7.0")
        other = await server.connect(port=1, greet=False)
        other.write(b"PROXY TCP4 203.0.113.8 192.0.2.1 4444 25\r\n")
        assert (await other.read()).startswith("220")
        await first.hello()
        with caplog.at_level(logging.INFO, "messaging"):
            await first.send()
        assert "203.0.113.7" in caplog.text


@pytest.mark.parametrize(
    ("other", "reply"),
    [
        ("2001:db8::8", "421 4.7.0"),
        ("2001:db8::ffff:0:0:8", "421 4.7.0"),
        ("2001:db8:0:1::7", "220 "),
        ("::ffff:203.0.113.7", "220 "),
    ],
)
async def test_an_ipv6_network_of_64_bits_is_one_client(other: str, reply: str) -> None:
    async with run_server(proxy_listen="127.0.0.1:0", max_connections_per_client=1) as server:
        for address, expected in (("2001:db8::7", "220 "), (other, reply)):
            wire = await server.connect(port=1, greet=False)
            wire.write(f"PROXY TCP6 {address} 2001:db8::1 4444 25\r\n".encode())
            assert (await wire.read()).startswith(expected)


async def test_a_client_that_is_disconnected_while_it_sends_gets_the_reply() -> None:
    async with run_server() as server:
        listen = server.receiver.addresses[0]
        client = socket.create_connection((listen.host, listen.port), 5)
        assert await asyncio.to_thread(client.recv, 1000)
        draining = asyncio.create_task(server.receiver.drain())
        await asyncio.sleep(0.1)
        # Sent before the reply is read. The second one fails on a socket that the server has closed.
        for command in (b"EHLO me\r\n", b"NOOP\r\n"):
            await asyncio.to_thread(client.sendall, command)
            await asyncio.sleep(0.1)
        assert (await asyncio.to_thread(client.recv, 1000)).startswith(b"421 ")
        assert await asyncio.to_thread(client.recv, 1000) == b""
        client.close()
        await draining
