"""The page about a held message: shows it, and takes the decision of its owner.

GET changes nothing, so that scanners of mail may follow the link; only its buttons do.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from html import escape
from typing import Final
from urllib.parse import parse_qs

from django.utils import timezone
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from messaging.config.settings import Settings
from messaging.errors import GatewayError
from messaging.model.signed_link import sign, verify
from messaging.store.admission.decisions import Choice, HeldMessage, decide, find_held
from messaging.store.audit.actor import Actor, acting_as
from messaging.store.db.django_settings import secret_key
from messaging.web.front.answers import later, plain

log = logging.getLogger(__name__)

PURPOSE: Final = "held"
PATH: Final = "/held/{token}"
MAX_TEXT_CHARACTERS: Final = 2000
MAX_FORM_BYTES: Final = 1000
LINK: Final = Actor("link", "")
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_BUTTONS: Final = {
    Choice.RELEASE: "Send this message to the device",
    Choice.ALLOW: "Always allow this author",
    Choice.BLOCK: "Block this author",
}
_OUTCOMES: Final = {
    Choice.RELEASE: "Sent to the device: {}.",
    Choice.ALLOW: "Sent to the device: {}. The author is a contact now.",
    Choice.BLOCK: "The author is blocked. Refused: {}.",
}
_NOT_VALID: Final = "This link is not valid, or its time is over."


def link_to_held(settings: Settings, message_id: str, now: datetime) -> str:
    """Return the URL of the page about a held message, valid for as long as the message may be held."""
    end = now + timedelta(days=settings.held_days)
    token = sign(PURPOSE, message_id, end, secret_key(settings))
    return settings.public_url.rstrip("/") + PATH.format(token=token)


def decision_routes(settings: Settings, now: Callable[[], datetime] = timezone.now) -> APIRouter:
    """Return `GET` and `POST /held/{token}`: 404 for a link that is not valid, 503 while the store is away."""
    router = APIRouter()

    @router.get(PATH, include_in_schema=False)
    async def show(token: str) -> Response:
        return await _answer(settings, token, now(), None)

    @router.post(PATH, include_in_schema=False)
    async def choose(token: str, request: Request) -> Response:
        body = await request.body()
        given = parse_qs(body[:MAX_FORM_BYTES].decode("latin-1")).get("choice", [""])[0]
        if given not in set(Choice):
            return plain(400, "bad request")
        return await _answer(settings, token, now(), Choice(given))

    return router


async def _answer(settings: Settings, token: str, now: datetime, choice: Choice | None) -> Response:
    message_id = verify(PURPOSE, token, now, secret_key(settings))
    if message_id is None:
        return _page("Not found", f"<p>{_NOT_VALID}</p>", 404)

    def look_up() -> tuple[HeldMessage | None, int]:
        found = find_held(message_id)
        if found is None or choice is None or not found.is_held:
            return found, 0
        with acting_as(lambda: LINK):
            number = decide(message_id, choice, settings, now)
        return found, number

    try:
        found, number = await asyncio.to_thread(look_up)
    except GatewayError as error:
        log.warning("a decision about a held message waits: %s", type(error).__name__)
        return later()
    if found is None:
        return _page("Not found", f"<p>{_NOT_VALID}</p>", 404)
    if choice is not None and number:
        return _page("Done", f"<p>{_OUTCOMES[choice].format(number)}</p>")
    if not found.is_held:
        return _page("Decided", "<p>This message does not wait for a decision any more.</p>")
    return _page("A message waits for your decision", _form(found))


def _form(message: HeldMessage) -> str:
    text = message.text[:MAX_TEXT_CHARACTERS]
    rest = "…" if len(message.text) > len(text) else ""
    buttons = "".join(
        f'<p><button name="choice" value="{choice.value}">{escape(words)}</button></p>'
        for choice, words in _BUTTONS.items()
    )
    return (
        f"<dl><dt>From</dt><dd>{escape(message.author)} ({escape(message.author_level)})</dd>"
        f"<dt>To</dt><dd>{escape(message.owner)}</dd>"
        f"<dt>Received</dt><dd>{message.received_at:%Y-%m-%d %H:%M} UTC</dd>"
        f"<dt>Subject</dt><dd>{escape(message.subject)}</dd></dl>"
        f"<pre>{escape(text)}{rest}</pre><p>{escape(message.reason)}</p>"
        f'<form method="post">{buttons}</form>'
    )


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>"
    )
    return HTMLResponse(page, status, headers=HEADERS)
