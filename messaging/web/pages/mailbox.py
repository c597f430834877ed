"""The page that confirms a mailbox of a subscriber, or stops the mails to it.

GET changes nothing, so that scanners of mail may follow the link; only its button does.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from html import escape
from typing import Final

from django.utils import timezone
from fastapi import APIRouter
from starlette.responses import Response

from messaging.config.settings import Settings
from messaging.errors import GatewayError
from messaging.model.signed_link import verify
from messaging.store.admission.links import MAILBOX_PATH, MailboxLink
from messaging.store.admission.mailboxes import MailboxRow, find_mailbox, follow_link
from messaging.store.audit.actor import Actor, acting_as
from messaging.store.db.django_settings import secret_key
from messaging.web.front.answers import later
from messaging.web.pages.plain_page import not_valid, plain_page

log = logging.getLogger(__name__)

LINK: Final = Actor("link", "")
_QUESTIONS: Final = {
    MailboxLink.CONFIRM: (
        "Confirm this mailbox",
        "{address} hears of messages that are held for {name}: by one mail a day at most.",
        "Confirm",
    ),
    MailboxLink.STOP: (
        "Stop the daily mails",
        "{address} hears no more of messages that are held for {name}. They are held all the same.",
        "Stop",
    ),
}
_DONE: Final = {
    MailboxLink.CONFIRM: "The mailbox is confirmed.",
    MailboxLink.STOP: "The mails are stopped.",
}


def mailbox_routes(settings: Settings, now: Callable[[], datetime] = timezone.now) -> APIRouter:
    """Return `GET` and `POST /mailbox/{token}`: 404 for a link that is not valid, 503 while the store is away."""
    router = APIRouter()

    @router.get(MAILBOX_PATH, include_in_schema=False)
    async def show(token: str) -> Response:
        return await _answer(settings, token, now(), find_mailbox)

    @router.post(MAILBOX_PATH, include_in_schema=False)
    async def follow(token: str) -> Response:
        return await _answer(settings, token, now(), follow_link)

    return router


async def _answer(
    settings: Settings,
    token: str,
    now: datetime,
    work: Callable[[MailboxLink, str, Settings, datetime], MailboxRow | None],
) -> Response:
    secret = secret_key(settings)
    subjects = {link: verify(link, token, now, secret) for link in MailboxLink}
    link, subject = next(((one, s) for one, s in subjects.items() if s), (None, None))
    if link is None or subject is None:
        return not_valid()

    def act() -> MailboxRow | None:
        with acting_as(lambda: LINK):
            return work(link, subject, settings, now)

    try:
        row = await asyncio.to_thread(act)
    except GatewayError as error:
        log.warning("a link about a mailbox waits: %s", type(error).__name__)
        return later()
    if row is None:
        return not_valid()
    if work is follow_link:
        return plain_page("Done", f"<p>{escape(row.address)}: {_DONE[link]}</p>")
    title, question, button = _QUESTIONS[link]
    text = escape(question.format(address=row.address, name=row.name))
    form = f'<form method="post"><p><button>{button}</button></p></form>'
    return plain_page(title, f"<p>{text}</p>{form}")
