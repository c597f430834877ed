"""The command `probe`: whether mail or webhooks are taken on this machine, for Kubernetes and health checks."""

import asyncio
from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Annotated, Any

import typer

from messaging.cli.exit_codes import run
from messaging.config.env import read
from messaging.config.settings import Listen, Settings
from messaging.errors import ConfigurationError, Unavailable
from messaging.mail.smtp.replies import LEAVING
from messaging.mail.smtp.settings import SmtpSettings

MAX_LINE_BYTES = 4096

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class Part(StrEnum):
    """What can be probed."""

    MAIL = "mail"
    HTTP = "http"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(probe)


def main() -> None:
    """Run this command alone."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    add_to(app)
    run(app)


def probe(
    part: Annotated[Part, typer.Argument(help="The SMTP port, or the HTTP port.")],
    seconds: Annotated[float, typer.Option(help="How long the answer may take.", min=0.1)] = 5,
) -> None:
    """Say whether mail (or webhooks) are taken here. Exit code 1 when not, while draining, or without an answer."""
    if part is Part.MAIL:
        variable, text, talk = "SATBRIDGE_SMTP_LISTEN", read(SmtpSettings).listen, _talk_mail
    else:
        variable, text, talk = "SATBRIDGE_HTTP_LISTEN", read(Settings).http_listen, _talk_http
    listen = Listen.parse(text)
    if listen.port == 0:
        raise ConfigurationError(f"{variable}: a probe needs a port that is always the same")
    asyncio.run(_talked(listen, talk, seconds))


async def _talked(listen: Listen, talk: Talk, seconds: float) -> None:
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(here, listen.port, limit=MAX_LINE_BYTES)
            try:
                await talk(reader, writer)
            finally:
                writer.close()
    except TimeoutError:
        raise Unavailable(f"no answer within {seconds:g} seconds") from None
    except ConnectionRefusedError:
        raise Unavailable(f"nothing listens on {listen}") from None
    except (OSError, ValueError):
        raise Unavailable("nobody answers properly") from None


async def _talk_mail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """RFC 5321 sections 3.1 and 4.1.1.9: the greeting, and a NOOP, which says when the server is about to leave."""
    await _expect(reader, "220")
    writer.write(b"NOOP\r\n")
    reply = await _expect(reader, "250")
    writer.write(b"QUIT\r\n")
    await _expect(reader, "221")
    if reply == LEAVING:
        raise Unavailable("draining")


async def _talk_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    await _expect(reader, "HTTP/1.1 200")


async def _expect(reader: asyncio.StreamReader, start: str) -> str:
    line = (await reader.readline()).decode("latin-1").strip()
    if not line.startswith(start):
        raise Unavailable(f"the answer is {line[:60]!r}")
    return line
