"""A simulated Portal Connect of Garmin: IPC Inbound v2 under `/api`, the feed of IPC Outbound, faults, a clock.

`Serving(GarminSimulator([Device("300434030000001")]).app)` serves one; `SATBRIDGE_GARMIN_URL` is then its
`url + "/api"`.

    GET, POST /sim/devices            {"imei": …, "replies": true}
    POST      /sim/events             as in `wire.GarminEvent`, one or a list; answered after the first post
    GET       /sim/downlinks?after=0  all messages to devices
    GET, PUT  /sim/portal             the URL, version and authentication of posts
    GET       /sim/feed               its state, and every post
    POST      /sim/feed/resume        lift a suspension
    POST      /sim/clock              {"advance_seconds": 43200}
    GET, PUT  /sim/faults             as in `faults.Faults`

Every error code needs no preparation: a message to the IMEI `3000000000000NN` is answered with NN.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Final

from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from messaging.simulator.garmin.api import DEVICE, GarminDevice, GarminDownlink, InboundApi
from messaging.simulator.garmin.portal import Portal, Proof
from messaging.simulator.garmin.push import WAITS_SECONDS, EventFeed
from messaging.simulator.garmin.wire import GarminEvent, post_body
from messaging.simulator.shared.clock import Clock
from messaging.simulator.shared.faults import Dice, Faults
from messaging.simulator.shared.faulty import Faulty
from messaging.simulator.shared.pushes import Push, Pushes, Try
from messaging.simulator.shared.switches import (
    after,
    clock_switch,
    fault_switches,
    json_route,
    wrong,
)

BASE_PATH: Final = "/api"
ANSWER_SECONDS: Final = 15.0
_EVENTS: Final[TypeAdapter[list[GarminEvent]]] = TypeAdapter(list[GarminEvent])


class GarminSimulator:
    """One account. `on_shown` is called with each message to a device, from the serving thread."""

    def __init__(
        self,
        devices: Iterable[GarminDevice] = (),
        *,
        api_key: str = "demo",
        portal: Portal | None = None,
        waits_seconds: Sequence[float] = WAITS_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
        faults: Faults | None = None,
        seed: int = 1,
        on_shown: Callable[[GarminDownlink], None] | None = None,
    ) -> None:
        self.portal = portal or Portal()
        self.clock = Clock()
        self.dice = Dice(faults or Faults(), seed)
        self.feed = EventFeed(self._post, self.clock, waits_seconds=waits_seconds)
        self._proof = Proof(self.clock)
        self._pushes = Pushes(self.dice, answer_seconds, ())
        self._on_shown = on_shown
        self._replies: set[asyncio.Task[Try]] = set()
        self.inbound = InboundApi(api_key, devices, self._now_ms, self._receive)
        routes = [Mount(BASE_PATH, self.inbound.app), *self._switches()]
        self.app = Faulty(Starlette(routes=routes), self.dice, BASE_PATH)

    def _now_ms(self) -> int:
        return int(self.clock.now() * 1000)

    def _receive(self, downlink: GarminDownlink) -> None:
        if self._on_shown is not None:
            self._on_shown(downlink)
        if self.inbound.devices[downlink.imei].replies and downlink.sender:
            answer = GarminEvent(
                imei=downlink.imei, text=f"Re: {downlink.text}", to=[downlink.sender]
            )
            reply = asyncio.get_running_loop().create_task(self.feed.put([answer]))
            self._replies.add(reply)
            reply.add_done_callback(self._replies.discard)

    async def _post(self, events: Sequence[GarminEvent]) -> Try:
        portal = self.portal
        if not portal.url:
            return Try(failure="no URL is configured in the portal")
        headers = await self._proof.headers(portal)
        if headers is None:
            return Try(failure="the OAuth URL gave no token")
        content = post_body(events, portal.version, self._now_ms(), nulls=not portal.encrypted)
        body = json.dumps(content).encode()
        push = Push(url=portal.url, content=body, media_type="application/json", headers=headers)
        return await self._pushes.push(push)

    def _switches(self) -> list[Route]:
        return [
            json_route(
                "/sim/devices",
                lambda request: [asdict(one) for one in self.inbound.devices.values()],
            ),
            Route("/sim/devices", self._add_device, methods=["POST"]),
            Route("/sim/events", self._put_events, methods=["POST"]),
            json_route(
                "/sim/downlinks",
                lambda request: [one.as_json() for one in self.inbound.downlinks[after(request) :]],
            ),
            json_route("/sim/portal", lambda request: self.portal.model_dump()),
            Route("/sim/portal", self._set_portal, methods=["PUT"]),
            json_route("/sim/feed", lambda request: self.feed.as_json()),
            Route("/sim/feed/resume", self._resume, methods=["POST"]),
            clock_switch(self.clock),
            *fault_switches(self.dice),
        ]

    async def _add_device(self, request: Request) -> Response:
        try:
            device = DEVICE.validate_json(await request.body())
        except ValueError as error:
            return wrong(error)
        self.inbound.devices[device.imei] = device
        return JSONResponse(asdict(device), 201)

    async def _put_events(self, request: Request) -> Response:
        try:
            body = await request.json()
            events = _EVENTS.validate_python(body if isinstance(body, list) else [body])
            if not events or any(one.imei not in self.inbound.devices for one in events):
                raise ValueError("there is no event, or no such device")
        except ValueError as error:
            return wrong(error)
        now = self._now_ms()
        dated = [one.model_copy(update={"at_ms": one.at_ms or now}) for one in events]
        return JSONResponse((await self.feed.put(dated)).as_json(), 201)

    async def _set_portal(self, request: Request) -> Response:
        try:
            changes = await request.json()
            self.portal = Portal.model_validate({**self.portal.model_dump(), **changes})
        except (ValueError, TypeError) as error:
            return wrong(error)
        return JSONResponse(self.portal.model_dump())

    async def _resume(self, request: Request) -> Response:
        self.feed.resume()
        return JSONResponse(self.feed.as_json())
