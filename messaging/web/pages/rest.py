"""The page about the rest of a text that was longer than a device gets at once: takes the choice of its author.

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
from messaging.store.admission.links import REST, REST_PATH
from messaging.store.admission.rests import RestChoice, RestOfMessage, decide_rest, find_rest
from messaging.store.audit.actor import acting_as
from messaging.store.db.django_settings import secret_key
from messaging.web.front.answers import later, plain
from messaging.web.pages.held import LINK, MAX_FORM_BYTES, MAX_TEXT_CHARACTERS
from messaging.web.pages.plain_page import not_valid, plain_page

log = logging.getLogger(__name__)

STAYS: Final = (
    "The rest is not sent now: a budget has no room, the device is switched off, or its owner takes no"
    " messages of yours any more."
)
_OUTCOMES: Final = {
    RestChoice.SEND: "The rest is on its way to the device.",
    RestChoice.LEAVE: "The rest is not sent.",
}


def rest_routes(settings: Settings, now: Callable[[], datetime] = timezone.now) -> APIRouter:
    """Return `GET` and `POST /rest/{token}`: 404 for a link that is not valid, 503 while the store is away."""
    router = APIRouter()

    @router.get(REST_PATH, include_in_schema=False)
    async def show(token: str) -> Response:
        return await _answer(settings, token, now(), None)

    @router.post(REST_PATH, include_in_schema=False)
    async def choose(token: str, request: Request) -> Response:
        body = await request.body()
        given = parse_qs(body[:MAX_FORM_BYTES].decode("latin-1")).get("choice", [""])[0]
        if given not in set(RestChoice):
            return plain(400, "bad request")
        return await _answer(settings, token, now(), RestChoice(given))

    return router


async def _answer(
    settings: Settings, token: str, now: datetime, choice: RestChoice | None
) -> Response:
    message_id = verify(REST, token, now, secret_key(settings))
    if message_id is None:
        return not_valid()

    def look_up() -> tuple[RestOfMessage | None, int]:
        found = find_rest(message_id)
        if found is None or choice is None or not found.is_held:
            return found, 0
        with acting_as(lambda: LINK):
            return found, decide_rest(message_id, choice, settings, now)

    try:
        found, number = await asyncio.to_thread(look_up)
    except GatewayError as error:
        log.warning("a choice about the rest of a text waits: %s", type(error).__name__)
        return later()
    if found is None:
        return not_valid()
    if choice is not None and number:
        return plain_page("Done", f"<p>{_OUTCOMES[choice]}</p>")
    if not found.is_held:
        return plain_page("Decided", "<p>The rest of this text does not wait any more.</p>")
    if choice is not None:
        return plain_page("Not sent", f"<p>{STAYS}</p>")
    return plain_page("The rest of your text", _form(found))


def _form(rest: RestOfMessage) -> str:
    text = rest.text[:MAX_TEXT_CHARACTERS]
    more = "…" if len(rest.text) > len(text) else ""
    return (
        f"<p>To {escape(rest.recipient)}: {escape(rest.subject)}</p>"
        f"<p>The device was not sent this. It costs its owner more, as the mail to you says.</p>"
        f"<pre>{escape(text)}{more}</pre>"
        '<form method="post">'
        f'<p><button name="choice" value="{RestChoice.SEND.value}">Send the rest</button></p>'
        f'<p><button name="choice" value="{RestChoice.LEAVE.value}">Leave it at the first parts</button></p>'
        "</form>"
    )
