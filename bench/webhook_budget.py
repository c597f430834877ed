"""The latency of webhooks at a steady rate, against the tightest budget of a provider."""

import asyncio
import time
from statistics import quantiles
from urllib.parse import urlsplit

from bench.figures import Line
from bench.gateway_under_load import gateway, make_network_hang
from bench.webhooks import webhook

PER_SECOND = 200
SECONDS = 20
WARM_UP_SECONDS = 3
# RockBLOCK waits for 3 s (its webhook guide); all others wait for longer.
BUDGET_SECONDS = 3.0


def measure() -> list[Line]:
    """Post signed webhooks at a steady rate, each on a connection of its own, without waiting for earlier ones."""
    with gateway() as ours:
        make_network_hang(ours)
        wanted = [webhook(ours.http, n) for n in range(PER_SECOND * (WARM_UP_SECONDS + SECONDS))]
        waits = asyncio.run(_at_pace(urlsplit(ours.http).port or 80, wanted))
    counted = waits[PER_SECOND * WARM_UP_SECONDS :]
    ninety_ninth = quantiles(counted, n=100)[98]
    note = f"{PER_SECOND} a second for {SECONDS} s, signature checked, SQLite, fsync"
    return [
        Line("slowest webhook", max(counted), "s", "s of budget", BUDGET_SECONDS, None, note),
        Line("webhook, 99 of 100", ninety_ninth, "s", "s of budget", BUDGET_SECONDS, None, note),
    ]


async def _at_pace(port: int, wanted: list[bytes]) -> list[float]:
    began = time.monotonic()

    async def one(number: int, request: bytes) -> float:
        # Counted from when it was due: a client that is late itself must not look good.
        due = began + number / PER_SECOND
        await asyncio.sleep(max(due - time.monotonic(), 0))
        await _post(port, request)
        return time.monotonic() - due

    return list(await asyncio.gather(*(one(n, request) for n, request in enumerate(wanted))))


async def _post(port: int, request: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head[:16]:
        raise RuntimeError(f"not taken: {head[:60]!r}")
    writer.close()
