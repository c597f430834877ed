"""`satbridge probe` tells Kubernetes whether to send clients here: by its exit code, and soon."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from fastapi import FastAPI
from starlette.responses import JSONResponse

from messaging.simulator.shared.serving import Serving
from tests.support.closed_port import closed_port
from tests.support.mail.wire import run_server


def probe(part: str, port: int, *options: str, host: str = "127.0.0.1") -> tuple[int, str]:
    """Run the command as the kubelet does; returns the exit code and what it said."""
    variable = "SMTP" if part == "mail" else "HTTP"
    done = subprocess.run(
        [sys.executable, "-m", "messaging", "probe", part, *options],
        env={**os.environ, f"SATBRIDGE_{variable}_LISTEN": f"{host}:{port}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    accepted = f"{part} is accepted on {host or '0.0.0.0'}:{port}\n"
    assert done.stdout == ("" if done.returncode else accepted)
    return done.returncode, done.stderr


@contextmanager
def answering(*lines: bytes) -> Iterator[int]:
    """A server that says something else than what is expected, or nothing, and holds the line."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    held.append(connection)
                    connection.sendall(b"".join(lines))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in held:
            connection.close()


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", ""])
async def test_mail_is_ready_until_its_end_is_announced(host: str) -> None:
    async with run_server() as server:
        port = server.receiver.addresses[0].port
        assert await asyncio.to_thread(probe, "mail", port, host=host) == (0, "")
        server.receiver.announce_drain()
        code, said = await asyncio.to_thread(probe, "mail", port, host=host)
        assert (code, said) == (1, "satbridge: draining\n")
        # No other client notices.
        assert (await (await server.connect_and_greet()).send()).startswith("250")
        await server.receiver.drain()
        assert (await asyncio.to_thread(probe, "mail", port, host=host))[0] == 1


@pytest.mark.anyio
async def test_mail_that_turns_all_clients_away_is_not_ready() -> None:
    async with run_server(max_connections=1) as server:
        await server.connect()
        code, said = await asyncio.to_thread(probe, "mail", server.receiver.addresses[0].port)
        assert code == 1
        assert "421 4.7.0" in said


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (404, 1)])
def test_http_is_ready_when_it_says_so(status: int, code: int) -> None:
    app = FastAPI()

    @app.get("/readyz")
    async def ready() -> JSONResponse:
        return JSONResponse({}, status_code=status)

    with Serving(app) as served:
        assert probe("http", int(served.url.rpartition(":")[2]))[0] == code


@pytest.mark.parametrize("part", ["mail", "http"])
@pytest.mark.parametrize("said", [b"", b"220", b"x" * 10_000, b"500 no\r\n"])
def test_whoever_answers_nothing_proper_is_not_ready_and_not_waited_for(
    part: str, said: bytes
) -> None:
    with answering(said) as port:
        began = time.monotonic()
        assert probe(part, port, "--seconds=0.5")[0] == 1
        assert time.monotonic() - began < 50


@pytest.mark.parametrize("part", ["mail", "http"])
def test_with_a_closed_port_nothing_is_ready(part: str) -> None:
    with closed_port() as url:
        port = int(url.rpartition(":")[2])
        assert probe(part, port) == (1, f"satbridge: nothing listens on 127.0.0.1:{port}\n")


def test_a_port_that_changes_cannot_be_probed() -> None:
    assert probe("mail", 0)[0] == 2
