"""A local Twilio: the message API with its errors, signed webhooks, and switches for everything that can go wrong."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from messaging.simulator.shared.faults import Dice, Faults
from messaging.simulator.shared.switches import fault_switches
from messaging.simulator.twilio.api import Answer, FaultyApi, MessageApi
from messaging.simulator.twilio.push import Fields, Try, Webhooks
from messaging.simulator.twilio.state import MAX_PAGE_SIZE, Text, Texts

STOP_WORDS = frozenset(
    ("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT")
)
START_WORDS = frozenset(("START", "YES", "UNSTOP"))


class InboundText(BaseModel):
    """A text from a phone to a number of the account, for `POST /sim/inbound`.

    `media` are content types. `extra` adds or replaces posted fields, `headers` sent headers (an empty one is left
    out). `webhook_url` stands in for the configured one. `sid` hands an earlier text over again.
    """

    model_config = ConfigDict(extra="forbid")

    sender: str = Field(alias="from")
    recipient: str = Field(alias="to")
    body: str = ""
    media: list[str] = []
    extra: dict[str, str] = {}
    headers: dict[str, str] = {}
    webhook_url: str | None = None
    sid: str | None = None


class TwilioSimulator:
    """One simulated account; `app` is the ASGI application, to be served by `serving.Serving`.

    Twilio's own paths are below `/2010-04-01`, ours below `/sim`: `inbound`, `messages`, `faults`, `next`, `counts`,
    `opt-outs`. `webhook_url` may carry Twilio's connection overrides (`#rc=3&rp=all`). With `advanced_opt_out`,
    webhooks say `OptOutType`, as an account with that feature does. `on_sent` is called with each text that the
    gateway sent, from the thread that serves.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        webhook_url: str | None = None,
        fallback_url: str | None = None,
        numbers: Iterable[str] | None = None,
        services: Mapping[str, Iterable[str]] | None = None,
        advanced_opt_out: bool = False,
        faults: Faults | None = None,
        seed: int = 1,
        status_seconds: float = 0,
        max_page_size: int = MAX_PAGE_SIZE,
        on_sent: Callable[[Text], None] | None = None,
    ) -> None:
        self.account_sid = account_sid
        self.webhook_url = webhook_url
        self.fallback_url = fallback_url
        self._advanced_opt_out = advanced_opt_out
        self.dice = Dice(faults or Faults(), seed)
        self._texts = Texts(account_sid, max_page_size)
        self._webhooks = Webhooks(auth_token)
        self._api = MessageApi(
            account_sid,
            auth_token,
            texts=self._texts,
            webhooks=self._webhooks,
            dice=self.dice,
            numbers=numbers,
            services=services,
            status_seconds=status_seconds,
            on_sent=on_sent,
        )
        web = FastAPI(title="Simulated Twilio")
        web.include_router(self._api.routes())
        web.include_router(self._switches())
        self.app = FaultyApi(web, self.dice)

    @property
    def faults(self) -> Faults:
        """The faults that happen now."""
        return self.dice.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.dice.faults = faults

    def outgoing_texts(self) -> list[Text]:
        """Return the texts that the gateway sent, oldest first."""
        return self._texts.all("outbound-api")

    def incoming_texts(self) -> list[Text]:
        """Return the texts that phones sent, oldest first."""
        return self._texts.all("inbound")

    def answer_next(self, *answers: Answer) -> None:
        """Answer the next send requests with these, in order, regardless of their content."""
        self._api.next_answers.extend(answers)

    def counts(self) -> dict[str, int]:
        """Return how many send requests came, were taken and refused, and how many webhooks were posted."""
        return {**self._api.counts, "webhook requests": self._webhooks.requests}

    async def receive(self, inbound: InboundText) -> list[Try]:
        """Let a phone text the gateway: keep the text, mind opt-outs, post the webhook; return every try."""
        urls = [url for url in (inbound.webhook_url or self.webhook_url, self.fallback_url) if url]
        if not urls:
            raise HTTPException(409, "no webhook URL is configured")
        fields = self._inbound_fields(inbound, inbound.sid or self._keep(inbound).sid)
        tries = await self._webhooks.deliver(urls, fields, inbound.headers)
        if self.dice.happens(self.faults.duplicate_rate):
            tries += await self._webhooks.deliver(urls, fields, inbound.headers)
        return tries

    def _keep(self, inbound: InboundText) -> Text:
        word = inbound.body.strip().upper()
        if word in STOP_WORDS | START_WORDS:
            self._texts.set_opted_out(inbound.sender, inbound.recipient, word in STOP_WORDS)
        return self._texts.add(
            sender=inbound.sender,
            recipient=inbound.recipient,
            body=inbound.body,
            status="received",
            direction="inbound",
            media=len(inbound.media),
            media_types=tuple(inbound.media),
            # Of an incoming text this is the time at which Twilio received it.
            sent=datetime.now(UTC).replace(microsecond=0),
        )

    def _inbound_fields(self, inbound: InboundText, sid: str) -> Fields:
        """The form of an incoming message: with fields that are empty, and, by `extra`, unknown ones."""
        fields = {
            "ToCountry": "US",
            "ToState": "",
            "ToCity": "",
            "ToZip": "",
            "FromCountry": "US",
            "FromState": "",
            "FromCity": "",
            "FromZip": "",
            "SmsMessageSid": sid,
            "SmsSid": sid,
            "MessageSid": sid,
            "AccountSid": self.account_sid,
            "SmsStatus": "received",
            "NumSegments": "1",
            "NumMedia": str(len(inbound.media)),
            "ReferralNumMedia": "0",
            "From": inbound.sender,
            "To": inbound.recipient,
            "Body": inbound.body,
            "ApiVersion": "2010-04-01",
        }
        for number, kind in enumerate(inbound.media):
            fields[f"MediaUrl{number}"] = f"https://api.twilio.com/media/{number}"
            fields[f"MediaContentType{number}"] = kind
        word = inbound.body.strip().upper()
        if self._advanced_opt_out and word in STOP_WORDS | START_WORDS | {"HELP", "INFO"}:
            kind = "STOP" if word in STOP_WORDS else "START" if word in START_WORDS else "HELP"
            fields["OptOutType"] = kind
        return list((fields | inbound.extra).items())

    def _switches(self) -> APIRouter:
        router = APIRouter(prefix="/sim", routes=[*fault_switches(self.dice)])

        @router.post("/inbound")
        async def receive(inbound: InboundText) -> dict[str, Any]:
            tries = await self.receive(inbound)
            return {"taken": not tries[-1].failure, "tries": [one.as_json() for one in tries]}

        @router.get("/messages")
        async def list_messages(after: int = 0) -> list[dict[str, Any]]:
            """Return the texts, oldest first, without the first `after`."""
            return [text.resource() for text in self._texts.all()[after:]]

        @router.post("/next")
        async def answer_next(answers: Sequence[Answer]) -> None:
            self.answer_next(*answers)

        router.add_api_route("/messages", self._texts.clear, methods=["DELETE"])
        router.add_api_route("/counts", self.counts, methods=["GET"])
        router.add_api_route("/opt-outs", self._texts.opt_outs, methods=["GET"])
        return router
