"""The page about a held message: shows it, and takes the decision of its owner.

GET changes nothing, so that scanners of mail may follow the link; only its buttons do.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from html import escape
from typing import Final
from urllib.parse import parse_qs

from django.utils import timezone
from fastapi import APIRouter, Request
from starlette.responses import Response

from messaging.config.settings import Settings
from messaging.errors import GatewayError
from messaging.model.signed_link import verify
from messaging.store.admission.decisions import Choice, HeldMessage, decide, find_held
from messaging.store.admission.links import HELD, HELD_PATH
from messaging.store.audit.actor import Actor, acting_as
from messaging.store.db.django_settings import secret_key
from messaging.web.front.answers import later, plain
from messaging.web.pages.plain_page import not_valid, plain_page
from messaging.words.invisible import remove_invisible

log = logging.getLogger(__name__)

MAX_TEXT_CHARACTERS: Final = 2000
MAX_FORM_BYTES: Final = 1000
STAYS: Final = "The message stays held: its budget has no room now, or its device is switched off."
LINK: Final = Actor("link", "")
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


def decision_routes(settings: Settings, now: Callable[[], datetime] = timezone.now) -> APIRouter:
    """Return `GET` and `POST /held/{token}`: 404 for a link that is not valid, 503 while the store is away."""
    router = APIRouter()

    @router.get(HELD_PATH, include_in_schema=False)
    async def show(token: str) -> Response:
        return await _answer(settings, token, now(), None)

    @router.post(HELD_PATH, include_in_schema=False)
    async def choose(token: str, request: Request) -> Response:
        body = await request.body()
        given = parse_qs(body[:MAX_FORM_BYTES].decode("latin-1")).get("choice", [""])[0]
        if given not in set(Choice):
            return plain(400, "bad request")
        return await _answer(settings, token, now(), Choice(given))

    return router


async def _answer(settings: Settings, token: str, now: datetime, choice: Choice | None) -> Response:
    message_id = verify(HELD, token, now, secret_key(settings))
    if message_id is None:
        return not_valid()

    def look_up() -> tuple[HeldMessage | None, int]:
        found = find_held(message_id)
        if found is None or choice is None or not found.is_held:
            return found, 0
        with acting_as(lambda: LINK):
            number = decide(message_id, choice, settings, now)
        return find_held(message_id), number

    try:
        found, number = await asyncio.to_thread(look_up)
    except GatewayError as error:
        log.warning("a decision about a held message waits: %s", type(error).__name__)
        return later()
    if found is None:
        return not_valid()
    if choice is not None and number:
        return plain_page("Done", f"<p>{_OUTCOMES[choice].format(number)}</p>")
    if not found.is_held:
        return plain_page("Decided", "<p>This message does not wait for a decision any more.</p>")
    if choice is not None:
        return plain_page("Not sent", f"<p>{STAYS}</p><p>{escape(found.reason)}</p>")
    return plain_page("A message waits for your decision", _form(found))


def _form(message: HeldMessage) -> str:
    # Marks of direction would show the address in another order.
    author = remove_invisible(message.author)
    text = message.text[:MAX_TEXT_CHARACTERS]
    rest = "…" if len(message.text) > len(text) else ""
    buttons = "".join(
        f'<p><button name="choice" value="{choice.value}">{escape(words)}</button></p>'
        for choice, words in _BUTTONS.items()
    )
    return (
        f"<dl><dt>From</dt><dd>{escape(author)} ({escape(message.author_level)})</dd>"
        f"<dt>To</dt><dd>{escape(message.owner)}</dd>"
        f"<dt>Received</dt><dd>{message.received_at:%Y-%m-%d %H:%M} UTC</dd>"
        f"<dt>Subject</dt><dd>{escape(message.subject)}</dd></dl>"
        f"<pre>{escape(text)}{rest}</pre><p>{escape(message.reason)}</p>"
        f'<form method="post">{buttons}</form>'
    )
