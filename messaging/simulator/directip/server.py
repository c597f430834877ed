"""A simulated DirectIP gateway of Iridium: delivers messages from modems, accepts messages to them, with faults.

`with DirectIpSimulator([Modem("300234010753370")]) as sim, Serving(sim.app)`: `SATBRIDGE_DIRECTIP_GATEWAY` is then its
`address`. The switches are those of `modem_switches`; an uplink's `changes` replace fields of the session
(`wire.DirectIpSession`), or the whole frame (`frame`, in hexadecimal). Its `form` is `whole` or `bytes`, one byte at a
time.
"""

from collections.abc import Callable, Iterable
from itertools import count
from types import TracebackType
from typing import Any, Final

from pydantic import TypeAdapter
from starlette.applications import Starlette

from messaging.simulator.directip.api import DirectIpGateway
from messaging.simulator.directip.push import Calls
from messaging.simulator.directip.wire import DirectIpSession
from messaging.simulator.shared.faults import Dice, Faults
from messaging.simulator.shared.modem_switches import ModemSwitches, ModemUplink
from messaging.simulator.shared.modems import Modem, ModemDownlink, Modems
from messaging.simulator.shared.pushes import Try

FORMS: Final = ("whole", "bytes")
ANSWER_SECONDS: Final = 30.0
_SESSION: TypeAdapter[DirectIpSession] = TypeAdapter(DirectIpSession)


class DirectIpSimulator:
    """The gateway; `app` serves its switches. Entering it opens the port for messages to modems.

    It connects to `listener` (host:port). With `confirms` it waits for a confirmation, and repeats messages `speed`
    times as fast as the real one; without, it writes and hangs up. `on_shown` is called with each message that
    reaches its modem, from the serving thread.
    """

    def __init__(
        self,
        modems: Iterable[Modem] = (),
        *,
        listener: str = "",
        confirms: bool = True,
        answer_seconds: float = ANSWER_SECONDS,
        speed: float = 1,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Faults | None = None,
        seed: int = 1,
        on_shown: Callable[[ModemDownlink], None] | None = None,
    ) -> None:
        self.modems = Modems(modems, on_shown)
        self.dice = Dice(faults or Faults(), seed)
        self.calls = Calls(self.dice, confirms=confirms, answer_seconds=answer_seconds, speed=speed)
        self.listener = listener
        self._references = count(1)
        self._gateway = DirectIpGateway(self.modems, self.dice, host, port)
        switches = ModemSwitches(self.modems, self.calls, self.dice, self.uplink)
        self.app = Starlette(routes=switches.routes())

    @property
    def address(self) -> str:
        """The address for messages to modems, as host:port."""
        return self._gateway.address

    def __enter__(self) -> "DirectIpSimulator":
        self._gateway.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._gateway.__exit__(kind, error, trace)

    async def uplink(self, uplink: ModemUplink) -> Try:
        """Simulate a session: deliver the modem's message to the listener, and the queue to the modem."""
        modem = self.modems.get(uplink.imei)
        listener, form = uplink.webhook_url or self.listener, uplink.form or FORMS[0]
        if modem is None or not listener or form not in FORMS:
            raise ValueError("there is no such modem, no listener, or no such form")
        momsn = self.modems.next_momsn(modem.imei) if uplink.momsn is None else uplink.momsn
        frame = self._frame(modem, uplink, momsn)
        self.modems.session(modem.imei)
        return await self.calls.offer(listener, frame, 1 if form == "bytes" else len(frame))

    def _frame(self, modem: Modem, uplink: ModemUplink, momsn: int) -> bytes:
        changes = dict(uplink.changes)
        if "frame" in changes:
            return bytes.fromhex(changes["frame"])
        session = DirectIpSession(
            reference=next(self._references),
            imei=modem.imei,
            momsn=momsn,
            at=uplink.time(),
            payload=uplink.payload(),
            latitude=modem.latitude,
            longitude=modem.longitude,
            cep_km=round(modem.cep),
        )
        known: dict[str, Any] = _SESSION.dump_python(session)
        return _SESSION.validate_python({**known, **changes}).frame()
