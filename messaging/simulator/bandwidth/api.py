"""The simulated part of Bandwidth's messaging API: create messages and list their records; with its errors.

Bandwidth's pages "Messaging API", "Messaging errors" and "Get message information", version 2.
"""

import asyncio
import json
import re
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from messaging.simulator.bandwidth.auth import Tokens
from messaging.simulator.bandwidth.errors import DESCRIPTIONS, fixture_code, refusal
from messaging.simulator.bandwidth.push import Callbacks
from messaging.simulator.bandwidth.state import Text, Texts, iso
from messaging.simulator.shared.faults import Dice
from messaging.simulator.shared.faulty import Faulty

API = "/api/v2"
MAX_CHARACTERS, MAX_TAG_CHARACTERS, MAX_RECIPIENTS = 2048, 1024, 10
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")


class Answer(BaseModel):
    """How to answer one of the next send requests; `taken`: answer so although the text was taken."""

    model_config = ConfigDict(extra="forbid")

    status: int = 500
    field: str = ""
    taken: bool = False


class Account(BaseModel):
    """The one account with its credentials and application. `numbers` are its own; None means that it owns every one.

    The same user and password are an API user, until `takes_passwords` is false, and an API credential, which is given
    tokens for `token_seconds`.
    """

    model_config = ConfigDict(frozen=True)

    account_id: str
    application_id: str
    username: str
    password: str
    numbers: frozenset[str] | None = None
    takes_passwords: bool = True
    token_seconds: float = 3600


class FaultyApi(Faulty):
    """Stands before the application; calls to the API meet the faults, callbacks and switches do not."""

    def __init__(self, app: ASGIApp, dice: Dice) -> None:
        super().__init__(app, dice, API)

    def _error(self) -> ASGIApp | None:
        faults = self._dice.faults
        if self._dice.over_rate_limit():
            return refusal(429, headers={"Retry-After": str(faults.retry_after_seconds)})
        if self._dice.happens(faults.error_rate):
            return refusal(faults.error_status)
        return None


class MessageApi:
    """The API of one account. `on_sent` is called with each text that is taken, from the thread that serves."""

    def __init__(
        self,
        account: Account,
        *,
        texts: Texts,
        callbacks: Callbacks,
        callback_url: Callable[[], str | None],
        dice: Dice,
        status_seconds: float = 0,
        on_sent: Callable[[Text], None] | None = None,
    ) -> None:
        self._account = account
        self._texts = texts
        self._callbacks = callbacks
        self._callback_url = callback_url
        self._dice = dice
        self._status_seconds = status_seconds
        self._on_sent = on_sent
        self.tokens = Tokens(account.username, account.password, account.token_seconds)
        self.next_answers: deque[Answer] = deque()
        self.counts: Counter[str] = Counter()

    def routes(self) -> APIRouter:
        """The routes, as Bandwidth spells them."""
        router = APIRouter(prefix=API, include_in_schema=False)
        path = "/users/{account_id}/messages"
        router.add_api_route(path, self._create, methods=["POST"])
        router.add_api_route(path, self._list, methods=["GET"])
        return router

    async def _create(self, account_id: str, request: Request) -> Response:
        self.counts["send requests"] += 1
        planned = self.next_answers.popleft() if self.next_answers else None
        if planned and not planned.taken:
            return self._refuse(planned.status, planned.field)
        if status := self._login_error(account_id, request):
            return self._refuse(status)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return self._refuse(415)
        form = _json(await request.body())
        field = "body" if form is None else self._invalid_field(form)
        if form is None or field:
            return self._refuse(400, field)
        text = self._take(form)
        progress = BackgroundTask(self._progress, text)
        if planned:
            await progress()
            return self._refuse(planned.status, planned.field)
        return JSONResponse(text.resource(), 202, background=progress)

    async def _list(self, account_id: str, request: Request) -> Response:
        status = self._login_error(account_id, request)
        if status:
            return self._refuse(status)
        try:
            return JSONResponse(self._texts.page(dict(request.query_params)))
        except ValueError:
            return self._refuse(400, "query")

    def _refuse(self, status: int, field: str = "") -> Response:
        self.counts["refused"] += 1
        return refusal(status, field)

    def _login_error(self, account_id: str, request: Request) -> int | None:
        by_password = self._account.takes_passwords and self.tokens.has_credentials(request)
        if not by_password and not self.tokens.has_token(request):
            return 401
        return None if account_id == self._account.account_id else 403

    def _invalid_field(self, form: dict[str, Any]) -> str:
        """Return the first field that is wrong in a send request, or nothing."""
        text, numbers = form.get("text") or "", self._account.numbers
        checks = {
            "applicationId": form.get("applicationId") == self._account.application_id,
            "from": _is_phone(form.get("from")) and (numbers is None or form["from"] in numbers),
            "to": isinstance(to := form.get("to"), list)
            and 0 < len(to) <= MAX_RECIPIENTS
            and all(map(_is_phone, to)),
            "text": isinstance(text, str) and len(text) + bool(form.get("media")) > 0,
            "text.length": isinstance(text, str) and len(text) <= MAX_CHARACTERS,
            "tag": len(str(form.get("tag") or "")) <= MAX_TAG_CHARACTERS,
        }
        return next((name for name, is_right in checks.items() if not is_right), "")

    def _take(self, form: dict[str, Any]) -> Text:
        self.counts["taken"] += 1
        text = self._texts.add(
            Text(
                application_id=form["applicationId"],
                account_id=self._account.account_id,
                direction="out",
                owner=form["from"],
                sender=form["from"],
                recipients=tuple(form["to"]),
                text=form.get("text") or "",
                media=tuple(form.get("media") or ()),
                tag=str(form.get("tag") or ""),
                status="QUEUED",
            )
        )
        if self._on_sent:
            self._on_sent(text)
        return text

    async def _progress(self, text: Text) -> None:
        """Move a text on to its end and call back: in disorder or twice, when the faults say so."""
        events = [_event(text, "message-sending")] if text.media else []
        for recipient in text.recipients:
            code = fixture_code(text.sender, recipient)
            if self._texts.has_opted_out(recipient, text.sender):
                code = 4775
            event = _event(text, "message-failed" if code else "message-delivered", recipient)
            if code:
                event |= {"errorCode": code, "description": DESCRIPTIONS[code]}
            events.append(event)
            if self._status_seconds:
                await asyncio.sleep(self._status_seconds)
            self._texts.advance(text.id, "FAILED" if code else "DELIVERED", code or 0)
        url = self._callback_url()
        for event in self._dice.shuffle(events) if url else []:
            times = 2 if self._dice.happens(self._dice.faults.duplicate_rate) else 1
            for _ in range(times):
                await self._callbacks.deliver(url or "", [event])


def _event(text: Text, kind: str, recipient: str | None = None) -> dict[str, Any]:
    return {
        "type": kind,
        "time": iso(text.created),
        "eventTime": iso(text.created),
        "to": recipient or text.recipients[0],
        "description": "ok",
        "message": text.resource(with_text=False),
    }


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _is_phone(value: object) -> bool:
    return isinstance(value, str) and bool(_PHONE.fullmatch(value))
