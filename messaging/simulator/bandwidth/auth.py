"""The simulated OAuth 2 of Bandwidth: gives tokens out, and knows them. Bandwidth's page "Credential Management"."""

import base64
import hmac
import secrets
import time

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

TOKEN_PATH = "/api/v1/oauth2/token"  # noqa: S105 (where tokens are given out)
_GRANT = b"grant_type=client_credentials"


class Tokens:
    """The tokens of one credential, each good for `seconds`. `requests` counts who asked for one."""

    def __init__(self, client_id: str, client_secret: str, seconds: float) -> None:
        self._credentials = base64.b64encode(f"{client_id}:{client_secret}".encode())
        self._seconds = seconds
        self._ends_at: dict[str, float] = {}
        self.requests = 0

    def routes(self) -> APIRouter:
        """The one route."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route(TOKEN_PATH, self._give, methods=["POST"])
        return router

    def expire(self) -> None:
        """End every token that was given out."""
        self._ends_at.clear()

    def has_token(self, request: Request) -> bool:
        """Whether a request has a token that has not ended."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return self._ends_at.get(token, float("-inf")) > time.monotonic()

    def has_credentials(self, request: Request) -> bool:
        """Whether a request has the user and the password themselves."""
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        return kind.lower() == "basic" and hmac.compare_digest(given.encode(), self._credentials)

    async def _give(self, request: Request) -> Response:
        self.requests += 1
        if await request.body() != _GRANT:
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        if not self.has_credentials(request):
            return JSONResponse({"error": "invalid_client"}, 401)
        token = secrets.token_urlsafe()
        self._ends_at[token] = time.monotonic() + self._seconds
        said = {"access_token": token, "token_type": "bearer", "expires_in": int(self._seconds)}
        return JSONResponse(said)
