"""A local Bandwidth: the messaging API with its errors, callbacks with Basic auth, and switches for faults.

POST      /sim/inbound    {"from": "+1555…", "to": "+1555…", "text": …}: a phone texts a number of the account
GET, DEL  /sim/messages   every text, oldest first; forget them
GET, PUT  /sim/faults     as in `faults.Faults`
POST      /sim/next       how to answer the next send requests, as in `api.Answer`
GET       /sim/counts     requests and callbacks
GET       /sim/opt-outs   pairs of phone and number
"""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from messaging.simulator.bandwidth.api import Account, Answer, FaultyApi, MessageApi
from messaging.simulator.bandwidth.push import CallbackHabits, Callbacks, Try
from messaging.simulator.bandwidth.state import Text, Texts, iso
from messaging.simulator.shared.faults import Dice, Faults
from messaging.simulator.shared.switches import fault_switches

STOP_WORDS = frozenset(("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL"))
START_WORDS = frozenset(("START", "YES", "UNSTOP"))


class InboundText(BaseModel):
    """A text from a phone, for `POST /sim/inbound`.

    `to` may be several numbers, as in a group. `media` are URLs. `extra` adds or replaces fields of the event.
    `callback_url` stands in for the configured one. `id` hands an earlier text over again.
    """

    model_config = ConfigDict(extra="forbid")

    sender: str = Field(alias="from")
    to: str | list[str]
    text: str = Field(default="", validation_alias=AliasChoices("text", "body"))
    media: list[str] = []
    extra: dict[str, Any] = {}
    callback_url: str | None = None
    id: str | None = None

    @property
    def recipients(self) -> tuple[str, ...]:
        """The numbers that it was sent to."""
        return (self.to,) if isinstance(self.to, str) else tuple(self.to)


class BandwidthSimulator:
    """One simulated account with one application; `app` is the ASGI application, to be served by `serving.Serving`.

    Bandwidth's own paths are below `/api/v2`, ours below `/sim`. Texts from phones and the callbacks for sent texts
    are posted to `callback_url`.
    """

    def __init__(
        self,
        account: Account,
        *,
        callback_url: str | None = None,
        callbacks: CallbackHabits | None = None,
        faults: Faults | None = None,
        seed: int = 1,
        status_seconds: float = 0,
        on_sent: Callable[[Text], None] | None = None,
    ) -> None:
        self.account = account
        self.callback_url = callback_url
        self.texts = Texts()
        self._dice = Dice(faults or Faults(), seed)
        self._callbacks = Callbacks(callbacks or CallbackHabits())
        self._api = MessageApi(
            account,
            texts=self.texts,
            callbacks=self._callbacks,
            callback_url=lambda: self.callback_url,
            dice=self._dice,
            status_seconds=status_seconds,
            on_sent=on_sent,
        )
        web = FastAPI(title="Simulated Bandwidth")
        web.include_router(self._api.routes())
        web.include_router(self._api.tokens.routes())
        web.include_router(self._switches())
        self.app = FaultyApi(web, self._dice)

    @property
    def faults(self) -> Faults:
        """The faults that happen now."""
        return self._dice.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._dice.faults = faults

    def outgoing_texts(self) -> list[Text]:
        """Return the texts that the gateway sent, oldest first."""
        return self.texts.all("out")

    def answer_next(self, *answers: Answer) -> None:
        """Answer the next send requests with these, in order, regardless of their content."""
        self._api.next_answers.extend(answers)

    def expire_tokens(self) -> None:
        """End every token that was given out."""
        self._api.tokens.expire()

    def counts(self) -> dict[str, int]:
        """Return how many send requests came, were taken and refused, and how many callbacks were posted."""
        return {
            **self._api.counts,
            "token requests": self._api.tokens.requests,
            "callback requests": self._callbacks.requests,
        }

    async def receive(self, inbound: InboundText) -> list[Try]:
        """Let a phone text the gateway: keep the text, mind opt-outs, call back; return the result."""
        url = inbound.callback_url or self.callback_url
        if not url:
            raise HTTPException(409, "no callback URL is configured")
        known = self.texts.get(inbound.id) if inbound.id else None
        events = self._events(known or self._keep(inbound), inbound)
        if not events:
            raise HTTPException(404, "the account has no such number")
        tries = await self._callbacks.deliver(url, events)
        if self._dice.happens(self.faults.duplicate_rate):
            tries += await self._callbacks.deliver(url, events)
        return tries

    def _keep(self, inbound: InboundText) -> Text:
        word = inbound.text.strip().upper()
        if word in STOP_WORDS | START_WORDS:
            for number in inbound.recipients:
                self.texts.set_opted_out(inbound.sender, number, word in STOP_WORDS)
        return self.texts.add(
            Text(
                application_id=self.account.application_id,
                account_id=self.account.account_id,
                direction="in",
                owner=inbound.recipients[0],
                sender=inbound.sender,
                recipients=inbound.recipients,
                text=inbound.text,
                media=tuple(inbound.media),
                status="RECEIVED",
            )
        )

    def _events(self, text: Text, inbound: InboundText) -> list[dict[str, Any]]:
        """One event for each number of the account that the text was sent to."""
        owned = self.account.numbers
        return [
            {
                "type": "message-received",
                "time": iso(text.created),
                "description": "Incoming message received",
                "to": number,
                "message": text.resource() | {"owner": number},
            }
            | inbound.extra
            for number in text.recipients
            if owned is None or number in owned
        ]

    def _switches(self) -> APIRouter:
        router = APIRouter(prefix="/sim", routes=[*fault_switches(self._dice)])

        @router.post("/inbound")
        async def receive(inbound: InboundText) -> dict[str, Any]:
            tries = await self.receive(inbound)
            return {"taken": not tries[-1].failure, "tries": [one.as_json() for one in tries]}

        @router.get("/messages")
        async def list_messages() -> list[dict[str, Any]]:
            return [{**text.record(), **text.resource()} for text in self.texts.all()]

        @router.post("/next")
        async def answer_next(answers: Sequence[Answer]) -> None:
            self.answer_next(*answers)

        router.add_api_route("/messages", self.texts.clear, methods=["DELETE"])
        router.add_api_route("/counts", self.counts, methods=["GET"])
        router.add_api_route("/tokens", self.expire_tokens, methods=["DELETE"])
        router.add_api_route("/opt-outs", self.texts.opt_outs, methods=["GET"])
        return router
