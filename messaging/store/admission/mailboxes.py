"""The mailboxes of subscribers elsewhere, which hear of held messages: entered, confirmed by a code, given up.

Every function raises InvalidInput for wrong input and Unavailable when the store is away.
"""

import hmac
import re
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from django.db import transaction

from messaging.config.settings import Settings
from messaging.model.address_syntax import own_mailbox, relay_mailbox
from messaging.model.locale import Locale
from messaging.model.message import MailKind, message_id
from messaging.store.admission.links import MailboxLink, link_to_mailbox
from messaging.store.admission.terms import SenderMode
from messaging.store.console.save import InvalidInput, find_subscriber
from messaging.store.db.connection import guard
from messaging.store.db.django_settings import secret_key
from messaging.store.models import OwnerMailbox, Subscriber
from messaging.store.notices.digest import next_digest, stop_subject
from messaging.store.notices.digest_text import code_text
from messaging.store.notices.gateway_mail import GatewayMail, enqueue_mails
from messaging.store.notices.mail_phrases import translate_mail

CODE_LIFETIME: Final = timedelta(days=7)
MAX_DAILY_CODES: Final = 5
CODE_CHARACTERS: Final = 10
_DAY: Final = timedelta(days=1)
_SUBJECT: Final = re.compile(r"([0-9]{1,19})-([a-z0-9]{1,20})")
NOT_VALID: Final = (
    "this code is not valid, was used, or is over;"
    " `satbridge users change NAME --mail ADDRESS` sends a new one"
)
MAIL_OFF: Final = (
    "SATBRIDGE_RELAY_URL is not set: without outgoing mail no code can confirm the mailbox"
)


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """The mailbox of a subscriber; `address` is empty without one."""

    name: str
    address: str
    is_confirmed: bool


def check_mailbox(address: str, mail_domain: str, account: str | None) -> str:
    """Return the mailbox as it is stored. Raises InvalidInput if it can hear of nothing; `account` sends mail."""
    mailbox = relay_mailbox(address.strip())
    if mailbox is None:
        raise InvalidInput(f"{address!r} is not a mailbox such as alice@example.org")
    if own_mailbox(mailbox, mail_domain) is not None:
        raise InvalidInput(f"{mailbox} is a mailbox of this gateway: its mails go to a device")
    if account is None:
        raise InvalidInput(MAIL_OFF)
    return mailbox


@guard
def change_mailbox(
    name: str, address: str, settings: Settings, account: str | None, now: datetime
) -> MailboxRow:
    """Enter the mailbox of a subscriber, unconfirmed, and mail a code to it; an empty address removes it.

    The same address again gets a new code, unless it is confirmed. Earlier codes are void.
    """
    mailbox = check_mailbox(address, settings.mail_domain, account) if address.strip() else ""
    with transaction.atomic():
        owner = find_subscriber(name)
        OwnerMailbox.objects.get_or_create(owner=owner)
        row = OwnerMailbox.objects.select_for_update(of=("self",)).get(owner=owner)
        if row.address == mailbox and row.confirmed_at is not None:
            return MailboxRow(owner.name, mailbox, is_confirmed=True)
        if row.address != mailbox:
            row.address, row.confirmed_at, row.digest_until = mailbox, None, None
        row.code_made_at = now if mailbox else None
        if mailbox and account:
            _count_code(row, now)
            enqueue_mails([_compose(row, owner, settings, now)], settings, account, now)
        row.save()
    return MailboxRow(owner.name, mailbox, is_confirmed=False)


@guard
def confirm_mailbox(name: str, code: str, settings: Settings, now: datetime) -> MailboxRow:
    """Confirm the mailbox of a subscriber by the code that was mailed to it."""
    row = _confirm(find_subscriber(name).pk, code, settings, now)
    if row is None:
        raise InvalidInput(NOT_VALID)
    return row


@guard
def find_mailbox(
    link: MailboxLink, subject: str, settings: Settings, now: datetime
) -> MailboxRow | None:
    """Return the mailbox that a link may confirm, or whose mails it may stop; None when it may not any more."""
    return _find(link, subject, settings, now)


@guard
def follow_link(
    link: MailboxLink, subject: str, settings: Settings, now: datetime
) -> MailboxRow | None:
    """Confirm the mailbox of a link, or stop its mails; return it as it was, or None when the link is not valid."""
    with transaction.atomic():
        found = _find(link, subject, settings, now)
        match = _SUBJECT.fullmatch(subject)
        if found is None or match is None:
            return None
        owner_id = int(match[1])
        if link is MailboxLink.CONFIRM:
            return _confirm(owner_id, match[2], settings, now)
        row = OwnerMailbox.objects.select_for_update(of=("self",)).get(pk=owner_id)
        row.address, row.confirmed_at, row.code_made_at = "", None, None
        row.digest_until = None
        row.save()
    return found


@guard
def without_mailbox() -> list[str]:
    """Return the active subscribers who hold messages of strangers and have no confirmed mailbox: one query."""
    rows = Subscriber.objects.filter(is_active=True, senders=SenderMode.KNOWN.value)
    silent = rows.filter(own_mailbox__confirmed_at__isnull=True)
    return list(silent.order_by("name").values_list("name", flat=True))


def _find(link: MailboxLink, subject: str, settings: Settings, now: datetime) -> MailboxRow | None:
    match = _SUBJECT.fullmatch(subject)
    rows = OwnerMailbox.objects.select_related("owner")
    row = rows.filter(pk=int(match[1])).first() if match else None
    if row is None or match is None or not row.address:
        return None
    if link is MailboxLink.CONFIRM:
        is_valid = _is_code(row, match[2], settings, now)
    else:
        is_valid = row.confirmed_at is not None and stop_subject(row) == subject
    found = MailboxRow(row.owner.name, row.address, row.confirmed_at is not None)
    return found if is_valid else None


def _confirm(owner_id: int, code: str, settings: Settings, now: datetime) -> MailboxRow | None:
    plain = re.sub(r"[\s-]", "", code).lower()
    with transaction.atomic():
        rows = OwnerMailbox.objects.select_for_update(of=("self",)).select_related("owner")
        row = rows.filter(pk=owner_id).first()
        if row is None or not _is_code(row, plain, settings, now):
            return None
        zone = Locale(row.owner.time_zone).zone
        first = next_digest(now, zone, settings.digest_hour)
        row.confirmed_at, row.code_made_at = now, None
        # A mailbox that was confirmed before has had its mail of the day.
        row.digest_at = max(first, row.digest_at or first)
        row.save()
    return MailboxRow(row.owner.name, row.address, is_confirmed=True)


def _is_code(row: OwnerMailbox, code: str, settings: Settings, now: datetime) -> bool:
    made_at = row.code_made_at
    if made_at is None or not row.address or now >= made_at + CODE_LIFETIME:
        return False
    expected = _make_code(row, made_at, settings)
    return hmac.compare_digest(expected.encode(), code.encode())


def _make_code(row: OwnerMailbox, made_at: datetime, settings: Settings) -> str:
    """Return the code of this address that was made at that time: it is not stored."""
    key = hmac.digest(secret_key(settings).encode(), b"satbridge mailbox code", sha256)
    parts = (str(row.owner_id), row.address, str(int(made_at.timestamp())), str(row.codes))
    digest = hmac.digest(key, "\0".join(parts).encode(), sha256)
    return b32encode(digest).decode()[:CODE_CHARACTERS].lower()


def _count_code(row: OwnerMailbox, now: datetime) -> None:
    if row.codes_since is None or now >= row.codes_since + _DAY:
        row.codes, row.codes_since = 0, now
    if row.codes >= MAX_DAILY_CODES:
        raise InvalidInput(f"{MAX_DAILY_CODES} codes were sent within a day; try again tomorrow")
    row.codes += 1


def _compose(
    row: OwnerMailbox, owner: Subscriber, settings: Settings, now: datetime
) -> GatewayMail:
    code, end = _make_code(row, now, settings), now + CODE_LIFETIME
    locale = Locale(owner.time_zone, owner.language)
    subject, url = f"{owner.pk}-{code}", ""
    if settings.has_public_pages:
        url = link_to_mailbox(settings, MailboxLink.CONFIRM, subject, end)
    return GatewayMail(
        id=message_id("mailbox", str(owner.pk), now.isoformat(), str(row.codes)),
        kind=MailKind.CODE,
        recipient=row.address,
        subject=translate_mail("Confirm this mailbox", locale.language),
        text=code_text(f"{owner.name}@{settings.mail_domain}", code, end, locale, url),
        owner_id=owner.pk,
    )
