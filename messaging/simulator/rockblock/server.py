"""A simulated RockBLOCK: messages to modems with every error code, signed webhooks, faults.

`Serving(RockblockSimulator([Modem("300234010753370")]).app)` serves one; `SATBRIDGE_ROCKBLOCK_URL` is then its
`url + "/rockblock"`, `SATBRIDGE_ROCKBLOCK_PUBLIC_KEY` its `public_key`. The switches are those of `modem_switches`,
with `GET /sim/public-key` and `GET, PUT /sim/credits`.

Every error code needs no preparation: a message to the IMEI `3000000000000NN` is answered `FAILED,NN`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from math import ceil
from typing import Final
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from messaging.simulator.rockblock.push import (
    FORMS,
    JSON_FORM,
    new_key,
    public_key_text,
    push_of,
    sign,
    webhook_fields,
)
from messaging.simulator.shared.faults import Dice, Faults
from messaging.simulator.shared.faulty import Faulty
from messaging.simulator.shared.modem_switches import ModemSwitches, ModemUplink
from messaging.simulator.shared.modems import Modem, ModemDownlink, Modems
from messaging.simulator.shared.pushes import Pushes, Try
from messaging.simulator.shared.switches import json_route, wrong

BASE_PATH: Final = "/rockblock"
FIXTURE_PREFIX: Final = "3000000000000"
MAX_PACKET_BYTES: Final = 270
CREDIT_BYTES: Final = 50
ANSWER_SECONDS: Final = 3.0
# The real waits are not documented.
WAITS_SECONDS: Final = (5.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
ERRORS: Final[Mapping[int, str]] = {
    10: "Invalid login credentials",
    11: "No RockBLOCK with this IMEI found on your account",
    12: "RockBLOCK has no line rental",
    13: "Your account has insufficient credit",
    14: "Could not decode hex data",
    15: "Data too long",
    16: "No data",
    99: "System Error, please try again, later",
}


class RockblockSimulator:
    """One account; `app` is the application to serve. `credits_left` of None never runs out.

    Without a `private_key` it creates one at the first signature. Uplinks are posted to `webhook_url`, in `form` (one
    of `FORMS`); only JSON has a token unless `signs_forms`. `on_shown` is called with each message that reaches its
    modem, from the serving thread.
    """

    def __init__(
        self,
        modems: Iterable[Modem] = (),
        *,
        username: str = "demo",
        password: str = "demo",  # noqa: S107 (of a simulator)
        webhook_url: str = "",
        form: str = JSON_FORM,
        signs_forms: bool = False,
        credits_left: int | None = None,
        answer_seconds: float = ANSWER_SECONDS,
        waits_seconds: Sequence[float] = WAITS_SECONDS,
        faults: Faults | None = None,
        seed: int = 1,
        private_key: rsa.RSAPrivateKey | None = None,
        on_shown: Callable[[ModemDownlink], None] | None = None,
    ) -> None:
        self.modems = Modems(modems, on_shown)
        self.dice = Dice(faults or Faults(), seed)
        self.pushes = Pushes(self.dice, answer_seconds, waits_seconds)
        self.webhook_url = webhook_url
        self.credits_left = credits_left
        self._login = (username, password)
        self._form = form
        self._signs_forms = signs_forms
        self._private_key = private_key
        switches = ModemSwitches(self.modems, self.pushes, self.dice, self.uplink).routes()
        routes = [Route(f"{BASE_PATH}/MT", self._send, methods=["POST"]), *switches]
        self.app = Faulty(Starlette(routes=routes + self._own()), self.dice, BASE_PATH)

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return self._private_key or new_key()

    @property
    def public_key(self) -> str:
        """The key that checks the tokens of its webhooks."""
        return public_key_text(self._key)

    async def uplink(self, uplink: ModemUplink) -> Try:
        """Simulate a session: post the modem's message to the webhook, and deliver its queue."""
        modem = self.modems.get(uplink.imei)
        url, form = uplink.webhook_url or self.webhook_url, uplink.form or self._form
        if modem is None or not url or form not in FORMS:
            raise ValueError("there is no such modem, no webhook, or no such form")
        count = self.modems.next_momsn(modem.imei) if uplink.momsn is None else uplink.momsn
        fields = webhook_fields(modem, uplink, count)
        if uplink.token != "missing" and (form == JSON_FORM or self._signs_forms):  # noqa: S105
            key = new_key() if uplink.token == "wrong key" else self._key  # noqa: S105
            fields["JWT"] = sign(fields, key, datetime.now(UTC))
        self.modems.session(modem.imei)
        return await self.pushes.push(push_of(url, form, {**fields, **uplink.changes}))

    async def _send(self, request: Request) -> Response:
        """Answer as the service does: always with 200 and one line."""
        body = (await request.body()).decode("utf-8", "replace")
        form = {**request.query_params, **dict(parse_qsl(body, keep_blank_values=True))}
        code = 10
        if (form.get("username"), form.get("password")) == self._login:
            code = self._data_error(form.get("data", "")) or self._modem_error(form)
        if code:
            return PlainTextResponse(f"FAILED,{code},{ERRORS[code]}")
        data = bytes.fromhex(form["data"])
        if self.credits_left is not None:
            self.credits_left -= ceil(len(data) / CREDIT_BYTES)
        if form.get("flush") == "yes":
            self.modems.flush(form["imei"])
        return PlainTextResponse(f"OK,{self.modems.queue(form['imei'], data)}")

    def _data_error(self, data: str) -> int:
        """Return the error code of a packet, 0 for a good one."""
        if not data:
            return 16
        try:
            return 15 if len(bytes.fromhex(data)) > MAX_PACKET_BYTES else 0
        except ValueError:
            return 14

    def _modem_error(self, form: Mapping[str, str]) -> int:
        """Return the error code of a modem or of the credits, 0 without an error."""
        imei = form.get("imei", "")
        fixture = imei.removeprefix(FIXTURE_PREFIX)
        if imei != fixture and fixture.isdecimal() and int(fixture) in ERRORS:
            return int(fixture)
        modem = self.modems.get(imei)
        if modem is None:
            return 11
        cost = ceil(len(form["data"]) / 2 / CREDIT_BYTES)
        if self.credits_left is not None and self.credits_left < cost:
            return 13
        return 0 if modem.line_rental else 12

    def _own(self) -> list[Route]:
        return [
            Route("/sim/public-key", lambda request: PlainTextResponse(self.public_key)),
            json_route("/sim/credits", lambda request: {"credits": self.credits_left}),
            Route("/sim/credits", self._set_credits, methods=["PUT"]),
        ]

    async def _set_credits(self, request: Request) -> Response:
        try:
            left = (await request.json())["credits"]
        except (ValueError, KeyError, TypeError) as error:
            return wrong(error)
        self.credits_left = left if isinstance(left, int) else None
        return JSONResponse({"credits": self.credits_left})
