"""A client of the simulated Twilio, a gateway's webhook that it calls, and the servers of both."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from messaging.simulator.twilio.server import TwilioSimulator

SID, TOKEN = "AC" + "2" * 32, "a-token"

OURS, PHONE = "+15550001111", "+15550002222"

BASE = f"/2010-04-01/Accounts/{SID}"

Form = dict[str, str]


@dataclass
class Receiver:
    """A gateway's webhook that answers as it is told and keeps what it got."""

    answers: list[int] = field(default_factory=list)
    delay_seconds: float = 0
    forms: list[Form] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self.receive, methods=["GET", "POST"])])

    async def receive(self, request: Request) -> Response:
        self.methods.append(request.method)
        self.headers.append(dict(request.headers))
        body = (await request.body()).decode()
        self.forms.append(dict(parse_qsl(body, keep_blank_values=True)))
        await asyncio.sleep(self.delay_seconds)
        status = self.answers.pop(0) if self.answers else 200
        if status == 302:
            return RedirectResponse("/elsewhere", 302)
        if status == 299:
            return JSONResponse("")
        return Response("<Response/>" if status == 200 else "", status, media_type="text/xml")


@dataclass
class Client:
    """Plain HTTP to the simulator, with the account's credentials."""

    http: httpx.Client
    simulator: TwilioSimulator

    def create(self, **changes: str) -> httpx.Response:
        form = {"From": OURS, "To": PHONE, "Body": "hello", **changes}
        return self.http.post(f"{BASE}/Messages.json", data={k: v for k, v in form.items() if v})

    def get(self, path: str, **params: str) -> Any:
        return self.http.get(path, params=params or None).json()

    def inbound(self, url: str, **changes: Any) -> dict[str, Any]:
        body = {"from": PHONE, "to": OURS, "body": "hello", "webhook_url": url, **changes}
        answer = self.http.post("/sim/inbound", json=body)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result


class Stage:
    """One server for all tests of this file; what stands behind it changes."""

    def __init__(self) -> None:
        self.app: ASGIApp = Starlette()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def client_of(stage: Stage, url: str, simulator: TwilioSimulator) -> Client:
    stage.app = simulator.app
    return Client(
        httpx.Client(base_url=url, auth=(SID, TOKEN), timeout=30, trust_env=False), simulator
    )
