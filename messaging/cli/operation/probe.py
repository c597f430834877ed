"""The command `probe`, for Kubernetes and health checks."""

import asyncio
from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Annotated, Any

import typer

from messaging.cli.output import print_text
from messaging.config.env import read
from messaging.config.settings import Listen, Settings
from messaging.errors import ConfigurationError, Unavailable
from messaging.mail.smtp.replies import LEAVING
from messaging.mail.smtp.settings import SmtpSettings

MAX_LINE_BYTES = 4096

Dialogue = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]

app = typer.Typer()


class Part(StrEnum):
    """A part that can be probed."""

    MAIL = "mail"
    HTTP = "http"


@app.command()
def probe(
    part: Annotated[Part, typer.Argument(help="The SMTP port, or the HTTP port.")],
    seconds: Annotated[float, typer.Option(help="How long the answer may take.", min=0.1)] = 5,
) -> None:
    """Test whether mail or webhooks are accepted on this machine.

    Exit code 1 when they are not, while the gateway drains, and without an answer.
    """
    if part is Part.MAIL:
        variable, text, dialogue = "SATBRIDGE_SMTP_LISTEN", read(SmtpSettings).listen, _talk_smtp
    else:
        variable, text, dialogue = "SATBRIDGE_HTTP_LISTEN", read(Settings).http_listen, _talk_http
    listen = Listen.parse(text)
    if listen.port == 0:
        raise ConfigurationError(f"{variable}: a probe needs a port that is always the same")
    asyncio.run(_connect(listen, dialogue, seconds))
    print_text(f"{part} is accepted on {listen}")


async def _connect(listen: Listen, dialogue: Dialogue, seconds: float) -> None:
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(here, listen.port, limit=MAX_LINE_BYTES)
            try:
                await dialogue(reader, writer)
            finally:
                writer.close()
    except TimeoutError:
        raise Unavailable(f"no answer within {seconds:g} seconds") from None
    except ConnectionRefusedError:
        raise Unavailable(f"nothing listens on {listen}") from None
    except (OSError, ValueError):
        raise Unavailable("the answer is invalid") from None


async def _talk_smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # RFC 5321 sections 3.1 and 4.1.1.9: the greeting, and a NOOP, whose reply shows that the server is draining.
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
