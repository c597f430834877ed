"""The simulated part of Twilio's REST API: create, list and fetch messages and media, fetch the account; its errors.

Twilio's pages "Message resource" and "Account resource", API version 2010-04-01.
"""

import asyncio
import base64
import hmac
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from messaging.simulator.shared.faults import Dice
from messaging.simulator.shared.faulty import Faulty
from messaging.simulator.twilio.errors import (
    MAGIC_RECIPIENTS,
    MAGIC_SENDERS,
    Objections,
    fixture_code,
    problem,
    refusal,
)
from messaging.simulator.twilio.push import Webhooks
from messaging.simulator.twilio.state import API, Text, Texts


class Answer(BaseModel):
    """How to answer one of the next send requests.

    `taken`: answer so although the text was taken. `as_problem`: in the newer form of errors (RFC 9457).
    """

    model_config = ConfigDict(extra="forbid")

    code: int = 20500
    status: int | None = None
    taken: bool = False
    as_problem: bool = False


class FaultyApi(Faulty):
    """Stands before the application; calls to Twilio's API meet the faults, webhooks and switches do not."""

    def __init__(self, app: ASGIApp, dice: Dice) -> None:
        super().__init__(app, dice, API)

    def _error(self) -> ASGIApp | None:
        faults = self._dice.faults
        if self._dice.over_rate_limit():
            return refusal(20429, headers={"Retry-After": str(faults.retry_after_seconds)})
        if self._dice.happens(faults.error_rate):
            return refusal(20500, status=faults.error_status)
        return None


class MessageApi:
    """The API of one account. `numbers` are the account's own; None means that it owns every number.

    `services` are its messaging services, by sid, with the numbers in each.
    `on_sent` is called with each text that is taken, from the thread that serves.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        texts: Texts,
        webhooks: Webhooks,
        dice: Dice,
        numbers: Iterable[str] | None = None,
        services: Mapping[str, Iterable[str]] | None = None,
        status_seconds: float = 0,
        on_sent: Callable[[Text], None] | None = None,
    ) -> None:
        self._account_sid = account_sid
        self._credentials = f"{account_sid}:{auth_token}".encode()
        self._texts = texts
        self._webhooks = webhooks
        self._dice = dice
        self._objections = Objections(texts, numbers, services)
        self._status_seconds = status_seconds
        self._on_sent = on_sent
        self.next_answers: deque[Answer] = deque()
        self.counts: Counter[str] = Counter()

    def routes(self) -> APIRouter:
        """The routes, as Twilio spells them."""
        router = APIRouter(prefix=API, include_in_schema=False)
        messages = "/{account_sid}/Messages"
        router.add_api_route(f"{messages}.json", self._create, methods=["POST"])
        router.add_api_route(f"{messages}.json", self._list, methods=["GET"])
        router.add_api_route(f"{messages}/{{sid}}.json", self._fetch, methods=["GET"])
        media = f"{messages}/{{sid}}/Media.json"
        router.add_api_route(media, self._media, methods=["GET"])
        router.add_api_route("/{account_sid}.json", self._account, methods=["GET"])
        router.add_api_route("/{account_sid}/Balance.json", self._balance, methods=["GET"])
        return router

    async def _create(self, account_sid: str, request: Request) -> Response:
        self.counts["send requests"] += 1
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True)
        form = dict(pairs)
        planned = self.next_answers.popleft() if self.next_answers else None
        code = self._login_error(account_sid, request) or self._objections.first(form)
        if planned and not planned.taken:
            return self._refuse(planned.code, planned.status, planned.as_problem)
        if code:
            return self._refuse(code)
        text = self._take(form, media=sum(name == "MediaUrl" for name, _ in pairs))
        progress = BackgroundTask(self._progress, text, form.get("StatusCallback"))
        if planned:
            await progress()
            return self._refuse(planned.code, planned.status, planned.as_problem)
        return JSONResponse(text.resource(), 201, background=progress)

    async def _list(self, account_sid: str, request: Request) -> Response:
        self.counts["list requests"] += 1
        code = self._login_error(account_sid, request)
        if code:
            return self._refuse(code)
        try:
            return JSONResponse(self._texts.page(dict(request.query_params)))
        except ValueError:
            return refusal(20001)

    async def _fetch(self, account_sid: str, sid: str, request: Request) -> Response:
        text = self._texts.get(sid)
        code = self._login_error(account_sid, request)
        if code or text is None:
            return self._refuse(code or 20404)
        return JSONResponse(text.resource())

    async def _media(self, account_sid: str, sid: str, request: Request) -> Response:
        text = self._texts.get(sid)
        code = self._login_error(account_sid, request)
        if code or text is None:
            return self._refuse(code or 20404)
        found = text.media_resources()
        return JSONResponse(
            {"media_list": found, "page": 0, "page_size": 50, "next_page_uri": None}
        )

    async def _account(self, account_sid: str, request: Request) -> Response:
        code = self._login_error(account_sid, request)
        if code:
            return self._refuse(code)
        return JSONResponse(
            {
                "sid": account_sid,
                "friendly_name": "Simulated account",
                "status": "active",
                "type": "Full",
                "uri": f"{API}/{account_sid}.json",
            }
        )

    async def _balance(self, account_sid: str, request: Request) -> Response:
        code = self._login_error(account_sid, request)
        if code:
            return self._refuse(code)
        return JSONResponse({"account_sid": account_sid, "balance": "100.00", "currency": "USD"})

    def _refuse(self, code: int, status: int | None = None, as_problem: bool = False) -> Response:
        self.counts["refused"] += 1
        return problem(code, status) if as_problem else refusal(code, status)

    def _login_error(self, account_sid: str, request: Request) -> int | None:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        expected = base64.b64encode(self._credentials)
        if kind.lower() != "basic" or not hmac.compare_digest(given.encode(), expected):
            return 20003
        return None if account_sid == self._account_sid else 20404

    def _take(self, form: dict[str, str], media: int) -> Text:
        self.counts["taken"] += 1
        text = self._texts.add(
            sender=self._objections.sender(form),
            recipient=form["To"],
            body=form.get("Body", ""),
            status="accepted" if "MessagingServiceSid" in form else "queued",
            messaging_service_sid=form.get("MessagingServiceSid"),
            direction="outbound-api",
            media=media,
        )
        if self._on_sent:
            self._on_sent(text)
        return text

    async def _progress(self, text: Text, callback: str | None) -> None:
        """Move a text on to its end, and tell the callback: in disorder or twice, when the faults say so."""
        code = fixture_code(text.sender, MAGIC_SENDERS) or fixture_code(
            text.recipient, MAGIC_RECIPIENTS
        )
        events: list[dict[str, Any]] = [{"status": "sending"}, {"status": "sent"}]
        events.append({"status": "undelivered" if code else "delivered", "error_code": code})
        for event in events:
            if self._status_seconds:
                await asyncio.sleep(self._status_seconds)
            self._texts.advance(text.sid, **event)
        for event in self._dice.shuffle(events[1:]) if callback else []:
            times = 2 if self._dice.happens(self._dice.faults.duplicate_rate) else 1
            for _ in range(times):
                await self._webhooks.deliver([callback or ""], _status_fields(text, **event))


def _status_fields(text: Text, status: str, error_code: int | None = None) -> list[tuple[str, str]]:
    fields = [
        ("MessageSid", text.sid),
        ("SmsSid", text.sid),
        ("MessageStatus", status),
        ("SmsStatus", status),
        ("AccountSid", text.account_sid),
        ("From", text.sender),
        ("To", text.recipient),
        ("ApiVersion", "2010-04-01"),
    ]
    return [*fields, ("ErrorCode", str(error_code))] if error_code else fields
