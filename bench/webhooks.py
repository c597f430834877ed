"""Webhooks accepted durably: against the same web server with a handler that does nothing (`/healthz`).

And against the same webhooks refused for their signature: read, checked and logged, but nothing stored. Serve hands a
handler the body by a call of its own, which an empty handler never asks for; this peer asks for it too.
"""

import asyncio
import time
from functools import partial
from urllib.parse import urlencode, urlsplit

from twilio.request_validator import RequestValidator

from bench.figures import Line, in_turn, part_of
from bench.gateway_under_load import gateway, make_network_hang
from tests.support.acceptance.running_gateway import ACCOUNT_SID, NUMBER, TOKEN

MODES = ("serve", "haproxy", "direct")
ROUNDS = 3
CONNECTIONS = 50
WEBHOOKS = 3000


def measure() -> list[Line]:
    """Measure signed webhooks, empty requests and refused webhooks in turn, on a running gateway in each mode."""
    return [line for mode in MODES for line in _measure(mode)]


def _measure(mode: str) -> list[Line]:
    count = part_of(WEBHOOKS)
    with gateway(HTTP=mode) as ours:
        make_network_hang(ours)
        sid = iter(range(10**9))
        forged = webhook("http://elsewhere.example", 0)
        found = in_turn(
            ROUNDS,
            {
                "ours": lambda: _rate(
                    ours.http, [webhook(ours.http, next(sid)) for _ in range(count)]
                ),
                "empty handler": partial(_rate, ours.http, [_empty(ours.http)] * count),
                "refused": partial(_rate, ours.http, [forged] * count, 403),
            },
        )
    note = f"{CONNECTIONS} connections, signature checked, SQLite, fsync; median of {ROUNDS}"
    return [
        Line(
            f"webhook accepted durably, {mode}", found["ours"], "/s", peer, found[peer], reach, note
        )
        for peer, reach in (("empty handler", 0.7), ("refused", None))
    ]


def webhook(url: str, number: int) -> bytes:
    """Return a whole signed request, as Twilio would write it."""
    form = {
        "MessageSid": f"SM{number:032x}",
        "AccountSid": ACCOUNT_SID,
        "From": "+15551230000",
        "To": NUMBER,
        "Body": f"text {number}",
        "NumMedia": "0",
    }
    signature = RequestValidator(TOKEN).compute_signature(f"{url}/sms/twilio", form)
    body = urlencode(form).encode()
    head = (
        f"POST /sms/twilio HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n"
        f"X-Twilio-Signature: {signature}\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    )
    return head.encode() + body


def _empty(url: str) -> bytes:
    return f"GET /healthz HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n\r\n".encode()


def _rate(url: str, requests: list[bytes], status: int = 200) -> float:
    began = time.monotonic()
    asyncio.run(_all(urlsplit(url).port or 80, requests, status))
    return len(requests) / (time.monotonic() - began)


async def _all(port: int, requests: list[bytes], status: int) -> None:
    shares = (requests[n::CONNECTIONS] for n in range(CONNECTIONS))
    await asyncio.gather(*(_over_one_connection(port, share, status) for share in shares))


async def _over_one_connection(port: int, requests: list[bytes], status: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if f" {status} ".encode() not in head[:16]:
            raise RuntimeError(f"not {status}: {head[:60]!r}")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length or 0))
    writer.close()
