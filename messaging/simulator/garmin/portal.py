"""What is entered in a simulated portal for IPC Outbound, and the headers that prove its posts.

Guide "IPC Outbound" 2.0.8, authentication. How Garmin asks for an OAuth token is documented nowhere, so it can be told.
"""

from base64 import b64encode
from typing import Any, Literal

import httpx
from pydantic import BaseModel, ConfigDict

from messaging.simulator.garmin.events import Version
from messaging.simulator.shared.clock import Clock

TOKEN_SECONDS = 15.0


class Portal(BaseModel):
    """The settings of the account. With an `oauth_url` tokens are fetched there, else `token` is sent in `header`.

    `oauth_form` says how the client shows itself, `static_form` how the static token travels.
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
    """Makes the headers, and keeps a token as long as it lasts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._token = ""
        self._until = 0.0
        self._of: Portal | None = None

    async def headers(self, portal: Portal) -> dict[str, str] | None:
        """Return the headers of a post; None when no token could be fetched."""
        if not portal.oauth_url:
            return _static(portal)
        if portal != self._of or self._clock.now() >= self._until:
            self._token = await self._fetched(portal)
            self._of = portal
        return {"Authorization": f"Bearer {self._token}"} if self._token else None

    async def _fetched(self, portal: Portal) -> str:
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=TOKEN_SECONDS) as client:
                answer = await client.post(portal.oauth_url, **_question(portal))
            found = answer.raise_for_status().json()
            self._until = self._clock.now() + float(found["expires_in"])
            return str(found["access_token"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            self._until = 0.0
            return ""


def _static(portal: Portal) -> dict[str, str]:
    if portal.static_form == "basic":
        encoded = b64encode(f"token:{portal.token}".encode()).decode()
        return {"Authorization": f"Basic {encoded}"}
    return {portal.header: portal.token}


def _question(portal: Portal) -> dict[str, Any]:
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
