"""Makes the signed links of the public pages about held messages, rests of texts and mailboxes of subscribers."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from messaging.config.settings import Settings
from messaging.model.signed_link import sign
from messaging.store.db.django_settings import secret_key

HELD: Final = "held"
HELD_PATH: Final = "/held/{token}"
MAILBOX_PATH: Final = "/mailbox/{token}"
REST: Final = "rest"
REST_PATH: Final = "/rest/{token}"


class MailboxLink(StrEnum):
    """The links about a mailbox, each the purpose of its token: confirm it, or stop its mails."""

    CONFIRM = "mailbox-confirm"
    STOP = "mailbox-stop"


def link_to_held(settings: Settings, now: datetime, message_id: str) -> str:
    """Return the URL of the page about a held message, valid for as long as the message may be held."""
    end = now + timedelta(days=settings.held_days)
    token = sign(HELD, message_id, end, secret_key(settings))
    return _url(settings, HELD_PATH, token)


def link_to_rest(settings: Settings, now: datetime, message_id: str) -> str:
    """Return the URL of the page about the rest of a long text, valid for as long as it may be held."""
    end = now + timedelta(days=settings.held_days)
    token = sign(REST, message_id, end, secret_key(settings))
    return _url(settings, REST_PATH, token)


def link_to_mailbox(settings: Settings, link: MailboxLink, subject: str, end: datetime) -> str:
    """Return the URL of the page that confirms a mailbox, or stops its mails."""
    token = sign(link, subject, end, secret_key(settings))
    return _url(settings, MAILBOX_PATH, token)


def _url(settings: Settings, path: str, token: str) -> str:
    return settings.public_url.rstrip("/") + path.format(token=token)
