"""The REST API of a simulated Hive, as known from its clients, without faults."""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from messaging.simulator.hive.state import (
    MAX_PACKET_BYTES,
    HivePacket,
    HiveState,
    Status,
    list_item,
)
from messaging.simulator.shared.faults import Dice

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HiveHabits:
    """The normal behaviour of this Hive.

    A downlink takes `flight_seconds` to its device (0: at once; None: only when advanced by hand). `expired_status`
    answers an expired session (401 and 403 have both been reported). Old Hives leave out `messageId`.
    """

    username: str = "demo"
    password: str = "demo"  # noqa: S105 (of a simulator)
    session_seconds: float = 3600
    expired_status: int = 401
    flight_seconds: float | None = 0
    omit_message_id: bool = False
    zoned_times: bool = False


class DownlinkRequest(BaseModel):
    """The request that queues a downlink."""

    model_config = ConfigDict(strict=True)

    deviceType: int
    deviceId: int
    userApplicationId: int
    data: str
    organizationId: int = 1


class HiveApi:
    """The API over one `HiveState`, for one account."""

    def __init__(self, state: HiveState, dice: Dice, habits: HiveHabits) -> None:
        self._state = state
        self._dice = dice
        self._habits = habits
        self._sessions: dict[str, float] = {}
        self.logins = 0

    @property
    def app(self) -> Router:
        """The API as an ASGI application, without its `/hive`."""
        return Router(
            [
                _route("POST", "/api/v1/messages", self._in_session(self._queue)),
                _route("GET", "/api/v1/messages", self._in_session(self._list)),
                _route("POST", "/api/v1/messages/rxack/{packet:int}", self._in_session(self._take)),
                _route("POST", "/login", self._login),
                _route("GET", "/logout", self._logout),
                _route("GET", "/api/v1/devices", self._in_session(self._list_devices)),
                _route("GET", "/api/v1/usercontext", self._in_session(self._who_am_i)),
            ]
        )

    def expire_sessions(self) -> None:
        """End every session."""
        self._sessions.clear()

    def _in_session(self, handler: Handler) -> Handler:
        async def check(request: Request) -> Response:
            bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
            until = self._sessions.get(request.cookies.get("JSESSIONID", bearer), 0)
            if time.monotonic() < until:
                return await handler(request)
            return _error(self._habits.expired_status, "no session")

        return check

    async def _login(self, request: Request) -> Response:
        login = _credentials(await request.body())
        if login != (self._habits.username, self._habits.password):
            return _error(401, "bad credentials")
        self.logins += 1
        token = secrets.token_hex(16)
        self._sessions[token] = time.monotonic() + self._habits.session_seconds
        response = JSONResponse({"token": token})
        response.set_cookie("JSESSIONID", token, httponly=True)
        return response

    async def _logout(self, request: Request) -> Response:
        self._sessions.pop(request.cookies.get("JSESSIONID", ""), None)
        return Response(status_code=204)

    async def _who_am_i(self, request: Request) -> Response:
        return JSONResponse({"username": self._habits.username, "organizationId": 1})

    async def _list_devices(self, request: Request) -> Response:
        return JSONResponse(
            [
                {"deviceType": 1, "deviceId": device.id, "deviceName": device.name}
                for device in self._state.devices()
            ]
        )

    async def _list(self, request: Request) -> Response:
        try:
            wanted = {name: int(value) for name, value in request.query_params.items()}
        except ValueError:
            return _error(400, "a filter is not a number")
        found = [packet for packet in self._packets(wanted.get("status")) if _fits(packet, wanted)]
        page = self._dice.shuffle(found)[: wanted.get("count", len(found))]
        page += [p for p in page if self._dice.happens(self._dice.faults.duplicate_rate)]
        habits = self._habits
        return JSONResponse(
            [
                list_item(
                    packet, with_message_id=not habits.omit_message_id, zoned=habits.zoned_times
                )
                for packet in page
            ]
        )

    def _packets(self, status: int | None) -> list[HivePacket]:
        if status == Status.RECEIVED:
            return self._state.uplinks()
        everything = [
            *self._state.uplinks(),
            *self._state.uplinks(acknowledged=True),
            *self._state.downlinks(),
        ]
        return [packet for packet in everything if status is None or packet.status == status]

    async def _take(self, request: Request) -> Response:
        packet_id = request.path_params["packet"]
        twice = self._dice.happens(self._dice.faults.duplicate_rate)
        if not self._state.acknowledge(packet_id, forget=not twice):
            return _error(404, "no such packet")
        return JSONResponse({"packetId": packet_id, "status": "OK"})

    async def _queue(self, request: Request) -> Response:
        try:
            wanted = DownlinkRequest.model_validate_json(await request.body())
            data = base64.b64decode(wanted.data, validate=True)
        except ValueError:
            return _error(400, "not a message")
        device = self._state.device(wanted.deviceId)
        if device is None or not device.two_way:
            return _error(403, "no access to this device")
        if len(data) > MAX_PACKET_BYTES:
            return JSONResponse({"packetId": 0, "status": "ERROR: DATA TOO LONG"})
        packet_id = self._state.put_downlink(device.id, data, wanted.userApplicationId)
        if self._habits.flight_seconds is not None:
            self._let_fly(packet_id, self._habits.flight_seconds / 2)
        return JSONResponse({"packetId": packet_id, "status": "OK"})

    def _let_fly(self, packet_id: int, step_seconds: float) -> None:
        def step() -> None:
            if self._state.advance(packet_id) not in (Status.DELIVERED, Status.FAILED):
                loop.call_later(step_seconds, step)

        loop = asyncio.get_running_loop()
        loop.call_later(step_seconds, step)


def _route(method: str, path: str, handler: Handler) -> Route:
    return Route(path, handler, methods=[method])


def _error(status: int, text: str) -> Response:
    return JSONResponse({"status": status, "message": text}, status)


def _credentials(body: bytes) -> tuple[str, str]:
    """Read name and password from a form or from JSON; a missing one is empty."""
    try:
        fields = json.loads(body)
    except ValueError:
        form = parse_qs(body.decode("utf-8", "replace"))
        fields = {name: values[0] for name, values in form.items()}
    if not isinstance(fields, dict):
        return "", ""
    return str(fields.get("username", "")), str(fields.get("password", ""))


def _fits(packet: HivePacket, wanted: Mapping[str, int]) -> bool:
    values = {
        "deviceid": packet.device_id,
        "devicetype": 1,
        "userApplicationId": packet.application_id,
        "organizationId": 1,
    }
    return all(wanted.get(name, value) == value for name, value in values.items())
