"""The settings of a simulated portal for IPC Outbound, and the authentication of its posts.

Guide "IPC Outbound" 2.0.8, authentication. The form of Garmin's requests for OAuth tokens is not documented, so it is
an option.
"""

from base64 import b64encode
from typing import Any, Literal

import httpx
from pydantic import BaseModel, ConfigDict

from messaging.simulator.garmin.wire import Version
from messaging.simulator.shared.clock import Clock

TOKEN_SECONDS = 15.0


class Portal(BaseModel):
    """The settings of the account. With an `oauth_url`, tokens are fetched there; else `token` is sent in `header`.

    `oauth_form` is the form of the client's request, `static_form` the place of the static token.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = ""
    version: Version = "4.0"
    encrypted: bool = False
    token: str = "demo"  # noqa: S105 (of a simulator)
    header: str = "X-Outbound-Auth-Token"
    static_form: Literal["header", "basic"] = "header"
    oauth_url: str = ""
    oauth_client_id: str = ""
    oauth_client_secret: str = ""
    oauth_form: Literal["form", "json", "basic"] = "form"


class Proof:
    """Makes the headers of posts, and caches a token until it expires."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._token = ""
        self._until = 0.0
        self._of: Portal | None = None

    async def headers(self, portal: Portal) -> dict[str, str] | None:
        """Return the headers of a post; None when no token could be fetched."""
        if not portal.oauth_url:
            if portal.static_form == "header":
                return {portal.header: portal.token}
            encoded = b64encode(f"token:{portal.token}".encode()).decode()
            return {"Authorization": f"Basic {encoded}"}
        if portal != self._of or self._clock.now() >= self._until:
            self._token = await self._fetch(portal)
            self._of = portal
        return {"Authorization": f"Bearer {self._token}"} if self._token else None

    async def _fetch(self, portal: Portal) -> str:
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=TOKEN_SECONDS) as client:
                answer = await client.post(portal.oauth_url, **_token_request(portal))
            found = answer.raise_for_status().json()
            self._until = self._clock.now() + float(found["expires_in"])
            return str(found["access_token"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            self._until = 0.0
            return ""


def _token_request(portal: Portal) -> dict[str, Any]:
    grant = {"grant_type": "client_credentials"}
    client = {
        "client_id": portal.oauth_client_id,
        "client_secret": portal.oauth_client_secret,
    }
    match portal.oauth_form:
        case "form":
            return {"data": grant | client}
        case "json":
            return {"json": grant | client}
        case "basic":
            return {"data": grant, "auth": tuple(client.values())}
