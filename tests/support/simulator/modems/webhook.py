"""Modems for the simulated Iridium services, their webhook, and requests of a client."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
from starlette.requests import Request
from starlette.responses import Response

from messaging.simulator.rockblock.server import RockblockSimulator
from tests.support.eventually import wait_until

IMEI, OTHER = "300234010753370", "300234010753371"

THING = "DgXeoxwVPMyrdOBJeEGlqKRJLbajQkzZ"


@dataclass
class Receiver:
    """A webhook with configurable answers that records its requests."""

    answers: list[int] = field(default_factory=list)
    delay_seconds: float = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def receive(self, request: Request) -> Response:
        body = (await request.body()).decode()
        read = json.loads(body) if body.startswith("{") else dict(parse_qsl(body))
        self.bodies.append(read)
        self.headers.append(dict(request.headers))
        await asyncio.sleep(self.delay_seconds)
        return Response(status_code=self.answers.pop(0) if self.answers else 200)


Rockblock = tuple[RockblockSimulator, httpx.Client]


def wait_until_idle(client: httpx.Client) -> list[dict[str, Any]]:
    wait_until(lambda: not client.get("/sim/pushes").json()["pending"])
    tries: list[dict[str, Any]] = client.get("/sim/pushes").json()["tries"]
    return tries


def send(client: httpx.Client, data: bytes = b"hello", **changes: str) -> str:
    form = {"imei": IMEI, "username": "demo", "password": "demo", "data": data.hex(), **changes}
    answer = client.post("/rockblock/MT", data=form)
    assert answer.status_code == 200
    return answer.text
