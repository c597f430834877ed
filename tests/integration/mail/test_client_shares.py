"""The shares of clients: who may connect, who is dropped near the limit, and how long a client may be silent."""

import asyncio
import logging

import pytest

from messaging.mail.smtp.settings import Patience
from tests.support.eventually import eventually
from tests.support.mail.wire import MAIL, MailServer, Wire, run_server

pytestmark = pytest.mark.anyio


async def connect_as(server: MailServer, address: str) -> tuple[Wire, str]:
    """Connect by the port for proxies as this client; return the connection and its greeting."""
    wire = await server.connect(port=1, greet=False)
    family = "TCP6" if ":" in address else "TCP4"
    wire.write(f"PROXY {family} {address} {address} 4444 25\r\n".encode())
    return wire, await wire.read()


async def hello_as(server: MailServer, address: str) -> Wire:
    wire, greeting = await connect_as(server, address)
    assert greeting.startswith("220")
    await wire.hello()
    return wire


async def test_five_clients_do_not_hold_all_connections() -> None:
    async with run_server(
        proxy_listen="127.0.0.1:0", max_connections=20, max_connections_per_client=4
    ) as server:
        for number in range(18):
            await hello_as(server, f"192.0.2.{number % 5}")
        for number in range(5):
            wire = await hello_as(server, f"198.51.100.{number}")
            reply = await wire.send(MAIL.replace(b"<1@", b"<%d@" % number))
            assert reply.startswith("250")
        _, greeting = await connect_as(server, "192.0.2.0")
        assert greeting.startswith("421")


async def test_the_connection_that_idles_longest_is_dropped() -> None:
    patience = Patience(evict_seconds=0.0)
    async with run_server(
        proxy_listen="127.0.0.1:0", max_connections=3, patience=patience
    ) as server:
        first = await hello_as(server, "192.0.2.1")
        for number in (2, 3):
            await hello_as(server, f"192.0.2.{number}")
        await hello_as(server, "192.0.2.4")
        assert (await first.read()).startswith("421 4.7.0")
        assert await first.read() == ""


async def test_connections_that_have_just_begun_are_not_dropped() -> None:
    async with run_server(proxy_listen="127.0.0.1:0", max_connections=2) as server:
        for number in (1, 2):
            await hello_as(server, f"192.0.2.{number}")
        _, greeting = await connect_as(server, "192.0.2.3")
        assert greeting.startswith("421")


async def test_known_clients_have_a_reserve_and_stay() -> None:
    async with run_server(proxy_listen="127.0.0.1:0", max_connections=10) as server:
        known = await hello_as(server, "198.51.100.1")
        assert (await known.send()).startswith("250")
        await known.say("QUIT")
        await eventually(lambda: not server.open())
        for number in range(9):
            await hello_as(server, f"192.0.2.{number}")
        _, greeting = await connect_as(server, "192.0.2.100")
        assert greeting.startswith("421")
        again = await hello_as(server, "198.51.100.1")
        assert (await again.say("NOOP")).startswith("250")


async def test_an_ipv6_site_has_the_connections_of_two_clients() -> None:
    async with run_server(proxy_listen="127.0.0.1:0", max_connections_per_client=1) as server:
        for number in (1, 2):
            await hello_as(server, f"2001:db8:1:{number}::1")
        _, greeting = await connect_as(server, "2001:db8:1:3::1")
        assert greeting.startswith("421")
        await hello_as(server, "2001:db8:2:1::1")


async def test_one_client_does_not_hold_all_bytes() -> None:
    mail = MAIL + b"x" * 9000 + b"\r\n"
    async with run_server(
        proxy_listen="127.0.0.1:0", max_bytes=10_000, max_bytes_in_flight=40_000
    ) as server:
        begun = []
        for _ in range(4):
            wire = await hello_as(server, "192.0.2.1")
            await wire.begin("boop@example.org")
            await wire.say("DATA")
            wire.write(mail)
            begun.append(wire)
        await eventually(lambda: server.in_flight() == len(mail))
        other = await hello_as(server, "192.0.2.2")
        assert (await other.send(mail)).startswith("250")
        replies = [await wire.say(b".") for wire in begun]
        assert sorted(reply[:3] for reply in replies) == ["250", "452", "452", "452"]


async def test_a_new_client_may_be_silent_for_less_time_than_a_known_one() -> None:
    async with run_server(new_idle_seconds=2, idle_seconds=300) as server:
        wire = await server.connect_and_greet()
        assert (await wire.send()).startswith("250")
        server.receiver._server.clients._known.clear()  # type: ignore[union-attr]
        new = await server.connect_and_greet()
        assert (await new.read()).startswith("421 4.4.2")
        assert (await wire.say("NOOP")).startswith("250")


async def test_commands_that_bring_no_mail_do_not_keep_a_new_client_connected() -> None:
    patience = Patience(new_client_idles=2, replies_without_mail=10**9)
    async with run_server(new_idle_seconds=1, patience=patience) as server:
        wire = await server.connect_and_greet()
        async with asyncio.timeout(30):
            while (reply := await wire.say("NOOP")).startswith("250"):
                pass
        assert reply.startswith("421 4.4.2")


async def test_a_mail_that_arrives_too_slowly_is_cut_off() -> None:
    patience = Patience(rate_seconds=0.2)
    async with run_server(min_bytes_per_second=10_000, patience=patience) as server:
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


async def test_unknown_recipients_end_in_421() -> None:
    patience = Patience(first_delay_seconds=0.001)
    async with run_server(max_unknown_recipients=10, patience=patience) as server:
        replies = []
        for _ in range(2):
            wire = await server.connect_and_greet()
            await wire.begin()
            replies += [(await wire.say("RCPT TO:<nobody@example.org>"))[:3] for _ in range(6)]
        assert replies == ["550"] * 10 + ["421", ""]
        wire = await server.connect_and_greet()
        assert (await wire.send()).startswith("250")
        assert (await wire.say("VRFY nobody")).startswith("252")


async def test_a_slowed_client_does_not_slow_others() -> None:
    async with run_server(proxy_listen="127.0.0.1:0", max_unknown_recipients=30) as server:
        slow = await hello_as(server, "192.0.2.1")
        await slow.begin(*["nobody@example.org"] * 10)
        slow.write(b"RCPT TO:<nobody@example.org>\r\n")
        other = await hello_as(server, "192.0.2.2")
        assert (await other.begin("nobody@example.org"))[-1].startswith("550")
        assert (await other.send()).startswith("250")


@pytest.mark.parametrize(("peers", "reply"), [("192.0.2.0/24", "554 5.7.1"), (None, "220")])
async def test_peers_say_who_may_connect(peers: str | None, reply: str) -> None:
    async with run_server(peers=peers, loopback="192.0.2.1") as server:
        wire = await server.connect(greet=False)
        assert (await wire.read()).startswith(reply)


async def test_this_machine_may_always_connect() -> None:
    async with run_server(peers="192.0.2.0/24") as server:
        assert (await (await server.connect_and_greet()).send()).startswith("250")


@pytest.mark.parametrize("peers", [None, "192.0.2.0/24"])
async def test_a_stranger_is_cut_off_at_the_port_for_proxies(
    peers: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    async with run_server(
        proxy_listen="127.0.0.1:0", proxy_peers=peers, loopback="192.0.2.1"
    ) as server:
        with caplog.at_level(logging.WARNING, "messaging"):
            wire = await server.connect(port=1, greet=False)
            assert await wire.read() == ""
        assert "SATBRIDGE_SMTP_PROXY_PEERS does not name it" in caplog.text
        assert server.receiver.status()["turned_away"] == 1
        assert not any(record.kind == "" for record in caplog.records)  # type: ignore[attr-defined]
