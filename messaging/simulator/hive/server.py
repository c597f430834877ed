"""A simulated Swarm Hive: its REST API under `/hive`, with faults, and switches under `/sim` for people and tests.

`Serving(HiveSimulator(devices=[Device(9)]).app)` serves one; `SATBRIDGE_HIVE_URL` is then its `url + "/hive"`.
It does not decode downlinks; `on_shown` and `/sim/downlinks` pass on their bytes.

    GET, POST /sim/devices             {"id": 9, "name": "boop", "two_way": true, "reachable": true}
    POST      /sim/uplinks             {"device": 9, "texts": [{"text": …, "to": …, "protocol": "email"}]}
                                       or {"device": 9, "data": base64}
    GET       /sim/uplinks             the unacknowledged and the acknowledged packets
    GET       /sim/downlinks?after=0   every downlink with its status
    POST      /sim/downlinks/7/advance moves it one step
    POST      /sim/sessions/expire     ends every session
    GET, PUT  /sim/faults              as in `faults.Faults`
    GET       /sim/state               counts
"""

import base64
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from messaging.simulator.hive.api import HiveApi, HiveHabits
from messaging.simulator.hive.state import HiveDevice, HivePacket, HiveState
from messaging.simulator.shared.device_payload import device_payload
from messaging.simulator.shared.faults import Dice, Faults
from messaging.simulator.shared.faulty import Faulty
from messaging.simulator.shared.switches import after, fault_switches, json_route, wrong

BASE_PATH = "/hive"
_DEVICE: TypeAdapter[HiveDevice] = TypeAdapter(HiveDevice)


class HiveUplink(BaseModel):
    """A message from a device: texts, or raw bytes in base64."""

    model_config = ConfigDict(extra="forbid")

    device: int
    texts: list[dict[str, str]] = []
    data: str | None = None

    def payload(self) -> bytes:
        """Return its bytes. Raises ValueError, or KeyError for a text without one of its parts."""
        if self.data is not None:
            return base64.b64decode(self.data, validate=True)
        return device_payload(self.texts)


class HiveSimulator:
    """A Hive with one account. `app` is the application to serve; `dice.faults` are its faults.

    `on_shown` is called with each downlink that reaches its device, from the serving thread.
    """

    def __init__(
        self,
        devices: Iterable[HiveDevice] = (),
        habits: HiveHabits | None = None,
        faults: Faults | None = None,
        seed: int = 1,
        on_shown: Callable[[HivePacket], None] | None = None,
    ) -> None:
        self.state = HiveState(on_shown)
        self.dice = Dice(faults or Faults(), seed)
        self.api = HiveApi(self.state, self.dice, habits or HiveHabits())
        routes = [Mount(BASE_PATH, self.api.app), *self._controls()]
        self.app = Faulty(Starlette(routes=routes), self.dice, BASE_PATH)
        for device in devices:
            self.state.add_device(device)

    def counts(self) -> dict[str, int]:
        """Return the number of packets in each state, of requests and of logins."""
        return self.state.counts() | {"requests": self.app.requests, "logins": self.api.logins}

    def _controls(self) -> list[Route]:
        return [
            json_route(
                "/sim/devices", lambda request: [asdict(one) for one in self.state.devices()]
            ),
            Route("/sim/devices", self._add_device, methods=["POST"]),
            Route("/sim/uplinks", self._put_uplink, methods=["POST"]),
            json_route(
                "/sim/uplinks",
                lambda request: {
                    "waiting": [packet.id for packet in self.state.uplinks()],
                    "acknowledged": [p.id for p in self.state.uplinks(acknowledged=True)],
                },
            ),
            json_route(
                "/sim/downlinks",
                lambda request: [_as_json(one) for one in self.state.downlinks(after(request))],
            ),
            Route("/sim/downlinks/{packet:int}/advance", self._advance, methods=["POST"]),
            Route("/sim/sessions/expire", self._expire, methods=["POST"]),
            *fault_switches(self.dice),
            json_route("/sim/state", lambda request: self.counts()),
        ]

    async def _add_device(self, request: Request) -> Response:
        try:
            device = _DEVICE.validate_json(await request.body())
        except ValueError as error:
            return wrong(error)
        self.state.add_device(device)
        return JSONResponse(asdict(device), 201)

    async def _put_uplink(self, request: Request) -> Response:
        try:
            uplink = HiveUplink.model_validate_json(await request.body())
            payload = uplink.payload()
        except (ValueError, KeyError) as error:
            return wrong(error)
        packet_id = self.state.put_uplink(uplink.device, payload)
        return JSONResponse({"packetId": packet_id, "bytes": len(payload)}, 201)

    async def _advance(self, request: Request) -> Response:
        try:
            status = self.state.advance(request.path_params["packet"])
        except KeyError as error:
            return wrong(error, 404)
        return JSONResponse({"status": int(status)})

    async def _expire(self, request: Request) -> Response:
        self.api.expire_sessions()
        return Response(status_code=204)


def _as_json(packet: HivePacket) -> dict[str, Any]:
    return {
        "packetId": packet.id,
        "device": packet.device_id,
        "status": int(packet.status),
        "bytes": len(packet.data),
        "data": base64.b64encode(packet.data).decode(),
    }
