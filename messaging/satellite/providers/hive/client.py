"""The Swarm Hive REST API: login, inbox, acknowledgement, downlinks.

The service ended in March 2025; the API is known from its clients (message-backend-ray, SwarmSpaceAzureIoTConnector).
"""

import base64
import logging
from collections.abc import Mapping
from typing import Any

import httpx
from pydantic import SecretStr

from messaging.errors import GatewayError, Rejected, Unavailable, Uncertain
from messaging.model.message import SubmittedPart
from messaging.satellite.account import Count, Packet, PolledAccount, Seconds
from messaging.satellite.http_client import HttpUrl, RestClient, json_of, succeed
from messaging.satellite.login_session import Session
from messaging.satellite.providers.hive.inbox import INCOMING_UNACKNOWLEDGED, packets_of

log = logging.getLogger(__name__)

MAX_USELESS_ITEMS = 1000
WHO_AM_I = "/api/v1/usercontext"
SPARE_CONNECTIONS = 4  # beside the sends: login, inbox, acknowledgements

_NO_SESSION = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})
_REFUSALS: Mapping[int, str] = {
    403: "the satellite network gives us no access to this device",
    404: "the satellite network does not know this device",
    413: "the packet is too long for the satellite network",
}
_TOO_LONG, _NO_ACCESS = _REFUSALS[413], _REFUSALS[403]
_DISABLED = "the device is not enabled for messages to it"
# What a status text that starts with ERROR speaks of → what people read. Anything else may pass.
_ERRORS: Mapping[str, str] = {
    "TOO LONG": _TOO_LONG,
    "TOO LARGE": _TOO_LONG,
    "INVALID DATA": "the satellite network calls the packet invalid",
    "UNKNOWN DEVICE": _REFUSALS[404],
    "DEVICE NOT FOUND": _REFUSALS[404],
    "DEVICE DISABLED": _DISABLED,
    "NOT ENABLED": _DISABLED,
    "NO ACCESS": _NO_ACCESS,
}


class HiveAccount(PolledAccount, prefix="SATBRIDGE_HIVE_"):
    """An account at a Hive. `url` ends before `/login`; after a login the next waits `login_pause_seconds`."""

    url: HttpUrl
    username: str
    password: SecretStr
    organization_id: int | None = None
    application_id: int = 1
    device_type: int = 1
    max_packet_bytes: Count = 192
    login_pause_seconds: Seconds = 10

    def connect(self) -> "Hive":
        """Return the network of this account, without I/O."""
        return Hive(self)


class Hive:
    """A session with a Hive, shared by all its callers; connects and logs in when first used.

    A session that the Hive no longer takes is renewed once per call, and never sooner than `login_pause_seconds`
    after the last login.
    """

    def __init__(self, account: HiveAccount) -> None:
        self._account = account
        connections = account.max_sends + SPARE_CONNECTIONS
        self._rest = RestClient(account.url, account.timeout_seconds, connections)
        self._useless_items = 0
        self._session = Session(self._log_in, account.login_pause_seconds)

    def __reduce__(self) -> tuple[type["Hive"], tuple[HiveAccount]]:
        """Travel as an account: connections and sessions stay behind."""
        return type(self), (self._account,)

    async def inbox(self, count: int) -> list[Packet]:
        """Return up to `count` packets that nobody acknowledged, oldest first. Raises Unavailable."""
        # What is no packet cannot be acknowledged, and would take up the page for ever.
        query = {"count": count + self._useless_items, "status": INCOMING_UNACKNOWLEDGED}
        response = await self._call("GET", "/api/v1/messages", params=query)
        succeed(response)
        items = json_of(response)
        if not isinstance(items, list):
            raise Unavailable("the satellite network's list of messages cannot be read")
        found = packets_of(items)
        self._useless_items = min(len(items) - len(found), MAX_USELESS_ITEMS)
        return found

    async def acknowledge(self, packet_id: str) -> None:
        """Tell the Hive to forget a packet. Raises Rejected when it does not know it, or Unavailable."""
        response = await self._call("POST", f"/api/v1/messages/rxack/{packet_id}")
        succeed(response, {404: "the satellite network does not know this packet"})
        answer = json_of(response)
        if not isinstance(answer, dict) or _status(answer).startswith("ERROR"):
            raise Unavailable("the satellite network did not take the acknowledgement")

    async def send(self, serial: str, packet: bytes) -> SubmittedPart:
        """Queue one packet for the device `serial` and return the Hive's id for it; never repeats by itself.

        Raises Rejected when it is too long or the Hive refuses the device, Unavailable, or Uncertain.
        """
        if len(packet) > self._account.max_packet_bytes:
            raise Rejected(f"{len(packet)} bytes are too long for one packet of this network")
        if not (serial.isascii() and serial.isdecimal()):
            raise Rejected("the device's serial is not a number, which this network needs")
        body = self._downlink(int(serial), packet)
        response = await self._call("POST", "/api/v1/messages", writes=True, json=body)
        succeed(response, _REFUSALS)
        return SubmittedPart(_queued(json_of(response)))

    async def check(self) -> None:
        """Return when the Hive takes our login; raises Unavailable saying what is wrong."""
        succeed(await self._call("GET", WHO_AM_I))

    async def aclose(self) -> None:
        """Close the connections; the next call connects again."""
        self._session = Session(self._log_in, self._account.login_pause_seconds)
        await self._rest.aclose()

    def _downlink(self, device_id: int, packet: bytes) -> dict[str, Any]:
        body: dict[str, Any] = {
            "deviceType": self._account.device_type,
            "deviceId": device_id,
            "userApplicationId": self._account.application_id,
            "data": base64.b64encode(packet).decode(),
        }
        if self._account.organization_id is not None:
            body["organizationId"] = self._account.organization_id
        return body

    async def _call(
        self, method: str, path: str, *, writes: bool = False, **content: Any
    ) -> httpx.Response:
        """Make one call in a session, and once more in a new one when the Hive no longer takes the old."""
        session = await self._session.current()
        response = await self._rest.call(method, path, writes=writes, **content)
        if not await self._has_expired(response):
            return response
        # Refused for want of a session, so it did not take effect and may be repeated.
        if await self._session.renew(stale=session):
            response = await self._rest.call(method, path, writes=writes, **content)
            if not await self._has_expired(response):
                return response
        raise Unavailable("the satellite network does not accept our login")

    async def _has_expired(self, response: httpx.Response) -> bool:
        """Whether our session is what was refused: a 403 may be about the device, so that asks who we are."""
        if response.status_code == httpx.codes.FORBIDDEN:
            response = await self._rest.call("GET", WHO_AM_I)
        return response.status_code in _NO_SESSION

    async def _log_in(self) -> None:
        form = {
            "username": self._account.username,
            "password": self._account.password.get_secret_value(),
        }
        response = await self._rest.call("POST", "/login", data=form)
        if response.status_code in _NO_SESSION:
            raise Unavailable("the satellite network refuses our user name or password")
        succeed(response)
        answer = json_of(response)
        token = answer.get("token") if isinstance(answer, dict) else None
        if "set-cookie" not in response.headers and not isinstance(token, str):
            raise Unavailable("the satellite network's answer to our login cannot be read")
        if isinstance(token, str):
            self._rest.bear(token)
        log.info("logged in to the Hive")


def _status(answer: Mapping[str, Any]) -> str:
    return str(answer.get("status", "")).upper()


def _queued(answer: Any) -> str:
    """Return the id in the answer to a downlink. Raises Uncertain when the answer makes no sense."""
    status = _status(answer) if isinstance(answer, dict) else ""
    if status.startswith("ERROR"):
        raise _refusal(status)
    if not isinstance(answer, dict) or answer.get("packetId") is None:
        raise Uncertain("the satellite network's answer cannot be read")
    return str(answer["packetId"])


def _refusal(status: str) -> GatewayError:
    words = next((words for sign, words in _ERRORS.items() if sign in status), None)
    return Rejected(words) if words else Unavailable("the satellite network reports an error")
