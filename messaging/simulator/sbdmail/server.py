"""A simulated SBD service of Iridium by e-mail: sends mails about sessions, and is a relay for mails to modems.

`with SbdMailSimulator([Modem("300234010753370")]) as sim, Serving(sim.app)`: `SATBRIDGE_RELAY_URL` is then its
`relay_url`. It accepts every mail. Mails to `data@sbd.iridium.com` are for modems, and each is answered by a mail
about its result. The others are listed at `GET /sim/mails`. The switches are those of `modem_switches`; an uplink's
`changes` replace fields of the session (`wire.SbdMailSession`).
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Final

from pydantic import TypeAdapter
from starlette.applications import Starlette

from messaging.simulator.mail.server import AccessRules, MailSink, ReceivedMail
from messaging.simulator.sbdmail.push import WAITS_SECONDS, Posts, deliver
from messaging.simulator.sbdmail.wire import (
    MAX_FILE_NAME_CHARACTERS,
    SERVICE,
    SbdMailRequest,
    SbdMailSession,
    requests_of,
)
from messaging.simulator.shared.modem_switches import ModemSwitches, ModemUplink
from messaging.simulator.shared.modems import QUEUED, Modem, ModemDownlink, Modems
from messaging.simulator.shared.pushes import Try
from messaging.simulator.shared.switches import json_route

IMEI_DIGITS: Final = 15
MAX_PACKET_BYTES: Final = 270
QUEUE_LENGTH: Final = 50
_SESSION: TypeAdapter[SbdMailSession] = TypeAdapter(SbdMailSession)


class SbdMailSimulator:
    """The service; `app` serves its switches. Entering it opens the port of its mail server.

    It writes to the mail server `listener` (host:port), to the mailbox `recipient`. `on_shown` is called with each
    message that reaches its modem, from the serving thread.
    """

    def __init__(
        self,
        modems: Iterable[Modem] = (),
        *,
        listener: str = "",
        recipient: str = "",
        waits_seconds: Sequence[float] = WAITS_SECONDS,
        host: str = "127.0.0.1",
        port: int = 0,
        access_rules: AccessRules | None = None,
        on_shown: Callable[[ModemDownlink], None] | None = None,
        on_mail: Callable[[ReceivedMail], None] | None = None,
    ) -> None:
        self.modems = Modems(modems, on_shown)
        self.sink = MailSink(host, port, access_rules=access_rules, on_mail=self._take)
        self.posts = Posts(self.sink.dice, waits_seconds)
        self.listener = listener
        self.recipient = recipient
        self._on_mail = on_mail
        self._answers = ThreadPoolExecutor(1, "sbd-answers")
        switches = ModemSwitches(self.modems, self.posts, self.sink.dice, self.uplink).routes()
        mails = json_route(
            "/sim/mails",
            lambda request: [
                _as_json(mail)
                for mail in list(self.sink.received)
                if SERVICE not in mail.recipients
            ],
        )
        self.app = Starlette(routes=[*switches, mails])

    @property
    def relay_url(self) -> str:
        """The URL of its mail server, as a relay."""
        return self.sink.url

    def __enter__(self) -> "SbdMailSimulator":
        self.sink.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.sink.__exit__(kind, error, trace)
        self._answers.shutdown(cancel_futures=True)

    async def uplink(self, uplink: ModemUplink) -> Try:
        """Simulate a session: mail the modem's message, and deliver its queue."""
        modem = self.modems.get(uplink.imei)
        listener = uplink.webhook_url or self.listener
        if modem is None or not listener or not self.recipient:
            raise ValueError("there is no such modem, or no listener or recipient")
        momsn = self.modems.next_momsn(modem.imei) if uplink.momsn is None else uplink.momsn
        session = SbdMailSession(
            imei=modem.imei,
            momsn=momsn,
            at=uplink.time(),
            payload=uplink.payload(),
            latitude=modem.latitude,
            longitude=modem.longitude,
            cep_km=round(modem.cep),
        )
        known: dict[str, Any] = _SESSION.dump_python(session)
        session = _SESSION.validate_python({**known, **uplink.changes})
        self.modems.session(modem.imei)
        return await self.posts.offer(listener, self.recipient, session.mail(self.recipient))

    def _take(self, mail: ReceivedMail) -> None:
        if SERVICE in mail.recipients:
            for request in requests_of(mail.content):
                self._queue(request, mail.sender)
        elif self._on_mail is not None:
            self._on_mail(mail)

    def _queue(self, request: SbdMailRequest, sender: str) -> None:
        reason = self._objection(request)
        place = self._waiting(request.imei) + 1
        mtmsn = 0 if reason else self.modems.queue(request.imei, request.payload)
        if self.listener:
            answer = request.disposition(sender, mtmsn, place, reason)
            self._answers.submit(deliver, self.listener, sender, answer)

    def _objection(self, request: SbdMailRequest) -> str:
        """Return the first error, in the service's words as far as they are known; empty without one."""
        if len(request.imei) != IMEI_DIGITS or not request.imei.isdecimal():
            return "the IMEI must have 15 digits"
        if self.modems.get(request.imei) is None:
            return "the IMEI is not provisioned"
        if not request.name or len(request.name) > MAX_FILE_NAME_CHARACTERS:
            return "there is no .sbd attachment"
        if not 0 < len(request.payload) <= MAX_PACKET_BYTES:
            return "the message size is not supported"
        full = self._waiting(request.imei) >= QUEUE_LENGTH
        return "the message queue is full" if full else ""

    def _waiting(self, imei: str) -> int:
        downlinks = self.modems.downlinks()
        return sum(one.imei == imei and one.state == QUEUED for one in downlinks)


def _as_json(mail: ReceivedMail) -> dict[str, Any]:
    body = mail.message.get_body(("plain",))
    return {
        "from": mail.sender,
        "to": list(mail.recipients),
        "subject": str(mail.message["Subject"]),
        "text": "" if body is None else body.get_content(),
    }
