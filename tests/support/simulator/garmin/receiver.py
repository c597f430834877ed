"""A webhook for the simulated Portal Connect."""

from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


@dataclass
class Receiver:
    """A webhook with configurable answers that records its requests."""

    status: int = 200
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    tokens: int = 0

    async def receive(self, request: Request) -> Response:
        self.bodies.append(await request.json())
        self.headers.append(dict(request.headers))
        return Response(status_code=self.status)

    async def token(self, request: Request) -> Response:
        self.tokens += 1
        return JSONResponse({"access_token": f"t{self.tokens}", "expires_in": 60})

    def events(self) -> list[dict[str, Any]]:
        return [event for body in self.bodies for event in body["Events"]]
