"""Simulated public feeds of SPOT: pages, passwords, errors, limits, and faults.

`Serving(SpotSimulator([Feed("feed-1")]).app)` serves one; `SATBRIDGE_SPOT_URL` is then its `url + BASE_PATH`.

    GET       {BASE_PATH}/{feed}/message.json?start=51&feedPassword=…   a page; also latest.json
    POST      /sim/messages        as in `SpotMessage`
    GET       /sim/calls           the number of calls of each feed, and of early calls
    POST      /sim/clock           {"advance_seconds": 150}
    GET, PUT  /sim/faults          as in `faults.Faults`

A second call of a feed within `least_seconds`, or of any two within `between_seconds`, gets 403 and a block.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from messaging.simulator.shared.clock import Clock
from messaging.simulator.shared.faults import Dice, Faults
from messaging.simulator.shared.faulty import Faulty
from messaging.simulator.shared.switches import clock_switch, fault_switches, json_route, wrong

BASE_PATH: Final = "/spot-main-web/consumer/rest-api/2.0/public/feed"
PAGE_SIZE: Final = 50
KEPT_SECONDS: Final = 7 * 24 * 3600.0
LEAST_SECONDS: Final = 150.0
BETWEEN_SECONDS: Final = 2.0
BLOCK_SECONDS: Final = 600.0  # the real duration is not documented
NO_MESSAGES: Final = ("E-0195", "No Messages to display", "No displayable messages found for feed")
NOT_FOUND: Final = ("E-0160", "Feed Not Found", "Feed with Id not found")
TYPES_WITH_CONTENT: Final = frozenset({"OK", "CUSTOM", "HELP", "HELP-CANCEL"})


@dataclass(frozen=True, slots=True)
class SpotFeed:
    """A feed, which may have a password."""

    id: str
    password: str = ""


class SpotMessage(BaseModel):
    """A message from a device. `changes` add or replace properties of the item, to break it."""

    model_config = ConfigDict(extra="forbid")

    feed: str
    messenger: str = "0-8356068"
    type: str = "OK"
    content: str = ""
    latitude: float = 45.42249
    longitude: float = -111.68832
    altitude: float = 0
    battery: str = "GOOD"
    ago_seconds: float = 0
    changes: dict[str, Any] = {}


@dataclass
class _FeedState:
    feed: SpotFeed
    items: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    last_call: float = float("-inf")


class SpotSimulator:
    """Feeds; `app` is the application to serve. `calls` counts by feed, with `too soon` and `refused`."""

    def __init__(
        self,
        feeds: Iterable[SpotFeed],
        *,
        least_seconds: float = LEAST_SECONDS,
        between_seconds: float = BETWEEN_SECONDS,
        block_seconds: float = BLOCK_SECONDS,
        faults: Faults | None = None,
        seed: int = 1,
    ) -> None:
        self.clock = Clock()
        self.dice = Dice(faults or Faults(), seed)
        self.calls: Counter[str] = Counter()
        self._feeds = {feed.id: _FeedState(feed) for feed in feeds}
        self._least_seconds = least_seconds
        self._between_seconds = between_seconds
        self._block_seconds = block_seconds
        self._blocked_until = float("-inf")
        self._last_call = float("-inf")
        self._numbers = 0
        feed_routes = [
            Route("/{feed}/message.json", self._answer, methods=["GET"]),
            Route("/{feed}/latest.json", self._answer, methods=["GET"]),
        ]
        routes = [Mount(BASE_PATH, routes=feed_routes), *self._switches()]
        self.app = Faulty(Starlette(routes=routes), self.dice, BASE_PATH)

    def send(self, sent: SpotMessage) -> int:
        """Add a message to its feed; return its number. Raises KeyError for an unknown feed."""
        held = self._feeds[sent.feed]
        self._numbers += 1
        at = self.clock.now() - sent.ago_seconds
        held.items.append((at, {**_item(self._numbers, at, sent), **sent.changes}))
        return self._numbers

    async def _answer(self, request: Request) -> Response:
        name = request.path_params["feed"]
        start, most = 1, 1
        if request.url.path.endswith("/message.json"):
            query = request.query_params.get("start", "1")
            start, most = int(query) if query.isdecimal() else 1, PAGE_SIZE
        held = self._feeds.get(name)
        self.calls[name] += 1
        if self._too_soon(held):
            self.calls["too soon"] += 1
            return PlainTextResponse("Forbidden", 403)
        if held is None or request.query_params.get("feedPassword", "") != held.feed.password:
            self.calls["refused"] += 1
            return JSONResponse(_error(NOT_FOUND))
        items = self._items(held)
        page = items[max(start, 1) - 1 :][:most]
        return JSONResponse(_page(held.feed, page, len(items)) if page else _error(NO_MESSAGES))

    def _too_soon(self, held: _FeedState | None) -> bool:
        """Count one call; whether it breaks a limit, or comes during a block."""
        now = self.clock.now()
        last_of_feed = held.last_call if held else float("-inf")
        soon = (
            now - last_of_feed < self._least_seconds
            or now - self._last_call < self._between_seconds
        )
        self._last_call = now
        if held:
            held.last_call = now
        if soon:
            self._blocked_until = now + self._block_seconds
        return now < self._blocked_until or soon

    def _items(self, held: _FeedState) -> list[dict[str, Any]]:
        """Return the items of the feed, the newest first; by faults out of order, and twice."""
        since = self.clock.now() - KEPT_SECONDS
        newest = sorted(
            (one for one in held.items if one[0] >= since), key=lambda one: one[0], reverse=True
        )
        items = self.dice.shuffle([item for _, item in newest])
        return items + [i for i in items if self.dice.happens(self.dice.faults.duplicate_rate)]

    def _switches(self) -> list[Route]:
        return [
            Route("/sim/messages", self._send, methods=["POST"]),
            json_route("/sim/calls", lambda request: self.calls),
            clock_switch(self.clock),
            *fault_switches(self.dice),
        ]

    async def _send(self, request: Request) -> Response:
        try:
            number = self.send(SpotMessage.model_validate_json(await request.body()))
        except (ValueError, KeyError) as error:
            return wrong(error)
        return JSONResponse({"id": number}, 201)


def _item(number: int, at: float, sent: SpotMessage) -> dict[str, Any]:
    item: dict[str, Any] = {
        "@clientUnixTime": "0",
        "id": number,
        "messengerId": sent.messenger,
        "messengerName": sent.messenger,
        "unixTime": int(at),
        "messageType": sent.type,
        "latitude": sent.latitude,
        "longitude": sent.longitude,
        "modelId": "SPOT3",
        "showCustomMsg": "Y",
        "dateTime": f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S+0000}",
        "batteryState": sent.battery,
        "hidden": 0,
        "altitude": sent.altitude,
    }
    has_content = sent.content and sent.type in TYPES_WITH_CONTENT
    return item | ({"messageContent": sent.content} if has_content else {})


def _page(feed: SpotFeed, page: list[dict[str, Any]], total: int) -> dict[str, Any]:
    """Return a page, in which a single message is no list."""
    about = {
        "id": feed.id,
        "name": "Simulated",
        "description": "",
        "status": "ACTIVE",
        "usage": 0,
        "daysRange": 7,
        "detailedMessageShown": True,
        "type": "SHARED_PAGE",
    }
    return {
        "response": {
            "feedMessageResponse": {
                "count": len(page),
                "feed": about,
                "totalCount": total,
                "activityCount": 0,
                "messages": {"message": page[0] if len(page) == 1 else page},
            }
        }
    }


def _error(error: tuple[str, str, str]) -> dict[str, Any]:
    code, text, description = error
    content = {"code": code, "text": text, "description": description}
    return {"response": {"errors": {"error": content}}}
