"""A simulated Cloudloop: calls for SBD and IMT, the status of messages, webhooks, faults.

`Serving(CloudloopSimulator([Modem("300234010753370", thing="AagL…")]).app)` serves one; `SATBRIDGE_CLOUDLOOP_URL` is
then its `url`. The switches are those of `modem_switches`. The refusals of the real
service are not documented, so their form here is an option.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from messaging.simulator.cloudloop.push import ACCOUNT, FORMS, LINGO, push_of
from messaging.simulator.shared.faults import Dice, Faults
from messaging.simulator.shared.faulty import Faulty
from messaging.simulator.shared.modem_switches import ModemSwitches, ModemUplink
from messaging.simulator.shared.modems import (
    DELIVERED,
    FLUSHED,
    QUEUED,
    Modem,
    ModemDownlink,
    Modems,
)
from messaging.simulator.shared.pushes import Pushes, Try

MAX_BYTES: Final = MappingProxyType({"sbd": 270, "imt": 100_000})
TOPICS: Final = ("RAW", "PURPLE", "PINK", "RED", "ORANGE", "YELLOW", "ROCKREMOTE_CDM")
ANSWER_SECONDS: Final = 5.0
# About nine hours; the next wait would make it eighteen.
WAITS_SECONDS: Final = tuple(2.0**n for n in range(1, 15))
STATUSES: Final = MappingProxyType({QUEUED: "QUEUED", DELIVERED: "DELIVERED", FLUSHED: "FAILED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudloopHabits:
    """Options for undocumented details: status and field name of refusals, name and values of a message's status."""

    refused_status: int = 400
    error_name: str = "error"
    status_name: str = "mtMessageStatus"
    statuses: Mapping[str, Any] = field(default_factory=lambda: STATUSES)


class CloudloopSimulator:
    """One account; `app` is the application to serve. `service` carries the uplinks: `sbd` or `imt`.

    Uplinks are posted to `webhook_url`, in `form` (one of `FORMS`). `on_shown` is called with each message that reaches
    its modem, from the serving thread.
    """

    def __init__(
        self,
        modems: Iterable[Modem] = (),
        *,
        token: str = "demo",  # noqa: S107 (of a simulator)
        service: str = "sbd",
        webhook_url: str = "",
        form: str = LINGO,
        habits: CloudloopHabits | None = None,
        answer_seconds: float = ANSWER_SECONDS,
        waits_seconds: Sequence[float] = WAITS_SECONDS,
        faults: Faults | None = None,
        seed: int = 1,
        on_shown: Callable[[ModemDownlink], None] | None = None,
    ) -> None:
        self.modems = Modems(modems, on_shown)
        self.dice = Dice(faults or Faults(), seed)
        self.pushes = Pushes(self.dice, answer_seconds, waits_seconds)
        self.webhook_url = webhook_url
        self._token = token
        self._service = service
        self._form = form
        self._habits = habits or CloudloopHabits()
        calls = {
            "/Platform/Ping": lambda parameters: JSONResponse({"status": "OK"}),
            "/Data/GetThings": self._things,
            "/Data/DoSendSbdMessage": lambda parameters: self._queue(
                parameters, "sbd", bytes.fromhex
            ),
            "/Data/DoSendImtMessage": self._send_imt,
            "/Data/GetMtDeliveryStatus": self._status,
        }
        routes = [self._route(path, call) for path, call in calls.items()]
        routes += ModemSwitches(self.modems, self.pushes, self.dice, self.uplink).routes()
        self.app = Faulty(Starlette(routes=routes), self.dice, ("/Data", "/Platform"))

    async def uplink(self, uplink: ModemUplink) -> Try:
        """Simulate a session: post the modem's message to the webhook, and deliver its queue."""
        modem = self.modems.get(uplink.imei)
        url, form = uplink.webhook_url or self.webhook_url, uplink.form or self._form
        if modem is None or not url or form not in FORMS:
            raise ValueError("there is no such modem, no webhook, or no such form")
        momsn = self.modems.next_momsn(modem.imei) if uplink.momsn is None else uplink.momsn
        self.modems.session(modem.imei)
        return await self.pushes.push(push_of(url, form, modem, uplink, momsn, self._service))

    def _route(self, path: str, call: Callable[[Mapping[str, Any]], Response]) -> Route:
        async def serve(request: Request) -> Response:
            parameters = await _parameters(request)
            if parameters.get("token") != self._token:
                return self._refuse("Invalid token")
            return call(parameters)

        return Route(path, serve, methods=["POST", "GET"])

    def _refuse(self, words: str) -> Response:
        habits = self._habits
        return JSONResponse({habits.error_name: words}, habits.refused_status)

    def _things(self, parameters: Mapping[str, Any]) -> Response:
        things = [
            {"id": m.thing, "account": ACCOUNT, "subscriberSbd": f"S{m.imei}", "supportsSbd": True}
            for m in self.modems.all()
        ]
        return JSONResponse({"things": things})

    def _send_imt(self, parameters: Mapping[str, Any]) -> Response:
        if parameters.get("topic") not in {f"IMT_TOPIC_{name}" for name in TOPICS}:
            return self._refuse("Invalid topic")
        return self._queue(parameters, "imt", lambda text: base64.b64decode(text, validate=True))

    def _queue(
        self, parameters: Mapping[str, Any], service: str, decode: Callable[[str], bytes]
    ) -> Response:
        modem = self.modems.of_thing(str(parameters.get("thing", "")))
        if modem is None:
            return self._refuse("Thing not found")
        try:
            data = decode(str(parameters.get("message", "")))
        except ValueError:
            return self._refuse("Invalid message")
        if not 0 < len(data) <= MAX_BYTES[service]:
            return self._refuse("Message too long")
        number = self.modems.queue(modem.imei, data, service)
        return JSONResponse({"id": _id(number), "status": "queued"})

    def _status(self, parameters: Mapping[str, Any]) -> Response:
        wanted = str(parameters.get("message", ""))
        found = next((one for one in self.modems.downlinks() if _id(one.id) == wanted), None)
        if found is None:
            return self._refuse("Message not found")
        status = self._habits.statuses.get(found.state)
        return JSONResponse({"id": wanted, self._habits.status_name: status})


def _id(number: int) -> str:
    return f"MT{number:030}"


async def _parameters(request: Request) -> dict[str, Any]:
    """Return the parameters from the query, and from a form or JSON."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        posted = json.loads(body) if body.startswith("{") else dict(parse_qsl(body))
    except ValueError:
        posted = {}
    return {**request.query_params, **posted}
