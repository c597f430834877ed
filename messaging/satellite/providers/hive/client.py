"""The REST API of the Swarm Hive: login, inbox, acknowledgement, downlinks."""

import base64
import logging
from typing import TYPE_CHECKING, Any

import httpx

from messaging.errors import AccountBlocked, Rejected, Unavailable, Uncertain
from messaging.model.message import SubmittedPart
from messaging.satellite.account import Packet
from messaging.satellite.http_client import LoginSession, RestClient, json_of, raise_on_failure
from messaging.satellite.providers.hive.errors import PACKET_REFUSALS, REFUSALS, status_failure
from messaging.satellite.providers.hive.wire import INCOMING_UNACKNOWLEDGED, packets_of

if TYPE_CHECKING:
    from messaging.satellite.providers.hive.account import HiveAccount

log = logging.getLogger(__name__)

MAX_USELESS_ITEMS = 1000
WHO_AM_I = "/api/v1/usercontext"
SPARE_CONNECTIONS = 4  # besides the sends: login, inbox, acknowledgements
_NO_SESSION = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})


class Hive:
    """A session with a Hive, shared by all callers; connects and logs in at the first call.

    A session that the Hive refuses is renewed once per call, at the earliest `login_pause_seconds` after the last
    login.
    """

    def __init__(self, account: "HiveAccount") -> None:
        self._account = account
        connections = account.max_sends + SPARE_CONNECTIONS
        self._rest = RestClient(account.url, account.timeout_seconds, connections)
        self._useless_items = 0
        self._session = LoginSession(self._log_in, account.login_pause_seconds)

    def __reduce__(self) -> "tuple[type[Hive], tuple[HiveAccount]]":
        """Pickle the account only, without connections and session."""
        return type(self), (self._account,)

    async def inbox(self, count: int) -> list[Packet]:
        """Return up to `count` unacknowledged packets, oldest first. Raises Unavailable."""
        # Items without an id cannot be acknowledged and stay listed, so the page grows by their number.
        query = {"count": count + self._useless_items, "status": INCOMING_UNACKNOWLEDGED}
        response = await self._call("GET", "/api/v1/messages", params=query)
        raise_on_failure(response)
        items = json_of(response)
        if not isinstance(items, list):
            raise Unavailable("the satellite network's list of messages cannot be read")
        found = packets_of(items)
        self._useless_items = min(len(items) - len(found), MAX_USELESS_ITEMS)
        return found

    async def acknowledge(self, packet_id: str) -> None:
        """Have the Hive delete a packet. Raises Rejected when it does not know the packet, or Unavailable."""
        response = await self._call("POST", f"/api/v1/messages/rxack/{packet_id}")
        raise_on_failure(response, PACKET_REFUSALS)
        answer = json_of(response)
        if not isinstance(answer, dict) or _status_of(answer).startswith("ERROR"):
            raise Unavailable("the satellite network did not take the acknowledgement")

    async def send(self, serial: str, packet: bytes) -> SubmittedPart:
        """Queue one packet for the device `serial`, once, and return the Hive's id for it.

        Raises Rejected when the packet is too long or the Hive refuses the device, Unavailable, or Uncertain.
        """
        account = self._account
        if len(packet) > account.max_packet_bytes:
            raise Rejected(f"{len(packet)} bytes are too long for one packet of this network")
        if not (serial.isascii() and serial.isdecimal()):
            raise Rejected("the device's serial is not a number, which this network needs")
        body: dict[str, Any] = {
            "deviceType": account.device_type,
            "deviceId": int(serial),
            "userApplicationId": account.application_id,
            "data": base64.b64encode(packet).decode(),
        }
        if account.organization_id is not None:
            body["organizationId"] = account.organization_id
        response = await self._call("POST", "/api/v1/messages", writes=True, json=body)
        raise_on_failure(response, REFUSALS)
        answer = json_of(response)
        if (status := _status_of(answer)).startswith("ERROR"):
            raise status_failure(status)
        if not isinstance(answer, dict) or answer.get("packetId") is None:
            raise Uncertain("the satellite network's answer cannot be read")
        return SubmittedPart(str(answer["packetId"]))

    async def check(self) -> None:
        """Return when the Hive accepts our login; raises Unavailable with the reason."""
        raise_on_failure(await self._call("GET", WHO_AM_I))

    async def aclose(self) -> None:
        """Close the connections; the next call connects again."""
        self._session = LoginSession(self._log_in, self._account.login_pause_seconds)
        await self._rest.aclose()

    async def _call(
        self, method: str, path: str, *, writes: bool = False, **content: Any
    ) -> httpx.Response:
        """Make one call in a session, and once more in a new session when the Hive refuses the old one."""
        for may_renew in (True, False):
            session = await self._session.current()
            response = await self._rest.call(method, path, writes=writes, **content)
            if not await self._has_expired(response, session):
                return response
            # Without a session the call had no effect and may be repeated.
            if not (may_renew and await self._session.renew(stale=session)):
                break
        raise AccountBlocked("the satellite network does not accept our login", self._login_action)

    async def _has_expired(self, response: httpx.Response, session: int) -> bool:
        """Whether the Hive may have refused our `session`; a 403 may also be about the device."""
        if response.status_code != httpx.codes.FORBIDDEN:
            return response.status_code in _NO_SESSION
        asked = await self._rest.call("GET", WHO_AM_I)
        # Another caller may have logged in since: the answer is then about the new session, the 403 about the old one.
        return asked.status_code in _NO_SESSION or self._session.number != session

    @property
    def _login_action(self) -> str:
        account = self._account
        return f"check {account.variable('username')} and {account.variable('password')}"

    async def _log_in(self) -> None:
        form = {
            "username": self._account.username,
            "password": self._account.password.get_secret_value(),
        }
        response = await self._rest.call("POST", "/login", data=form)
        if response.status_code in _NO_SESSION:
            raise AccountBlocked(
                "the satellite network refuses our user name or password", self._login_action
            )
        raise_on_failure(response)
        answer = json_of(response)
        token = answer.get("token") if isinstance(answer, dict) else None
        if "set-cookie" not in response.headers and not isinstance(token, str):
            raise Unavailable("the satellite network's answer to our login cannot be read")
        if isinstance(token, str):
            self._rest.bear(token)
        log.info("logged in to the Hive")


def _status_of(answer: Any) -> str:
    """Return the status text of an answer in capitals; empty without one."""
    return str(answer.get("status", "")).upper() if isinstance(answer, dict) else ""
