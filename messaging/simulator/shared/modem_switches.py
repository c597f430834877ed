"""The switches below `/sim` of the simulated providers with Iridium modems, for people and tests.

GET, POST /sim/modems            {"imei": …, "thing": …, "reachable": true}
POST      /sim/uplinks           as in `ModemUplink`; answered after the first try of the webhook
GET       /sim/downlinks?after=0 every message to a modem, with its state
GET       /sim/pushes            every request to the webhook
GET, PUT  /sim/faults            as in `faults.Faults`
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from messaging.simulator.shared.device_payload import device_payload
from messaging.simulator.shared.faults import Dice
from messaging.simulator.shared.modems import Modem, Modems
from messaging.simulator.shared.pushes import Try
from messaging.simulator.shared.switches import after, fault_switches, json_route, wrong

_MODEM: TypeAdapter[Modem] = TypeAdapter(Modem)


class ModemUplink(BaseModel):
    """A message from a modem: texts, or raw bytes in hexadecimal; neither makes a mailbox check.

    `momsn` replaces the next number, for a repetition. `changes` replace fields of the webhook after the signature.
    `token` may also be `wrong key` or `missing`. `form` and `webhook_url` replace those of the simulator.
    """

    model_config = ConfigDict(extra="forbid")

    imei: str
    texts: list[dict[str, str]] = []
    data: str = ""
    momsn: int | None = None
    transmit_time: str | None = None
    form: str | None = None
    token: str = "good"  # noqa: S105 (a kind of token)
    changes: dict[str, Any] = {}
    webhook_url: str | None = None

    def time(self) -> datetime:
        """Return `transmit_time` in UTC, now without one. Raises ValueError."""
        if self.transmit_time is None:
            return datetime.now(UTC)
        return datetime.fromisoformat(self.transmit_time).replace(tzinfo=UTC)

    def payload(self) -> bytes:
        """Return its bytes. Raises ValueError, or KeyError for a text without one of its parts."""
        return device_payload(self.texts) if self.texts else bytes.fromhex(self.data)


class Offers(Protocol):
    """The tries of a simulated provider to deliver its messages."""

    @property
    def tries(self) -> Sequence[Try]:
        """All tries so far."""

    @property
    def pending(self) -> int:
        """The number of messages that are not accepted yet."""


class ModemSwitches:
    """The routes for the modems of one provider; `send` delivers an uplink."""

    def __init__(
        self,
        modems: Modems,
        pushes: Offers,
        dice: Dice,
        send: Callable[[ModemUplink], Awaitable[Try]],
    ) -> None:
        self._modems = modems
        self._pushes = pushes
        self._dice = dice
        self._send = send

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            json_route("/sim/modems", lambda request: [asdict(one) for one in self._modems.all()]),
            Route("/sim/modems", self._add_modem, methods=["POST"]),
            Route("/sim/uplinks", self._put_uplink, methods=["POST"]),
            json_route(
                "/sim/downlinks",
                lambda request: [one.as_json() for one in self._modems.downlinks(after(request))],
            ),
            json_route(
                "/sim/pushes",
                lambda request: {
                    "pending": self._pushes.pending,
                    "tries": [one.as_json() for one in self._pushes.tries],
                },
            ),
            *fault_switches(self._dice),
        ]

    async def _add_modem(self, request: Request) -> Response:
        try:
            modem = _MODEM.validate_json(await request.body())
        except ValueError as error:
            return wrong(error)
        self._modems.add(modem)
        return JSONResponse(asdict(modem), 201)

    async def _put_uplink(self, request: Request) -> Response:
        try:
            uplink = ModemUplink.model_validate_json(await request.body())
            uplink.payload()
            if self._modems.get(uplink.imei) is None:
                raise ValueError("there is no modem with this IMEI")
            first = await self._send(uplink)
        except (ValueError, KeyError) as error:
            return wrong(error)
        return JSONResponse(first.as_json(), 201)
