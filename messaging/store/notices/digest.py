"""Sends each subscriber one mail a day about the held messages: written in the transaction that notes it."""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from datetime import time as time_of_day
from functools import partial
from typing import Final

from django.db import transaction
from django.db.models import Count, Min, QuerySet

from messaging.config.settings import Settings
from messaging.errors import GatewayError
from messaging.model.locale import Locale
from messaging.model.message import MailKind, Network, message_id
from messaging.store.admission.links import MailboxLink, link_to_held, link_to_mailbox
from messaging.store.admission.terms import Hold
from messaging.store.budgets.warnings import budget_warnings
from messaging.store.db.connection import BatchRunner
from messaging.store.db.encryption import UnknownKey
from messaging.store.models import HELD, Delivery, Message, OwnerMailbox
from messaging.store.notices.digest_text import (
    BulkEntry,
    Digest,
    HeldEntry,
    Link,
    digest_subject,
    digest_text,
)
from messaging.store.notices.gateway_mail import GatewayMail, enqueue_mails
from messaging.store.queue.delivery_state import DeliveryState

log = logging.getLogger(__name__)

CHECK_SECONDS: Final = 60.0
PAGE_SUBSCRIBERS: Final = 20
"""How many subscribers one look takes: each is a small transaction of its own."""
MIN_GAP: Final = timedelta(hours=12)
"""The least time between two digests, also after a change of the time zone or a late one."""
COMMIT_LAG: Final = timedelta(minutes=5)
"""A message that is accepted now may be visible only so much later: it is left for the next digest."""
MAX_ENTRIES: Final = 50
MAX_ENTRIES_PER_AUTHOR: Final = 3
MAX_BULK_ENTRIES: Final = 20
MAX_READ: Final = 2000
"""The most held messages that the entries are chosen from."""
STOP_DAYS: Final = 90
UNDECIDABLE: Final = (Hold.BUDGET.value, Hold.PARTS.value)
"""The reasons of messages that a digest does not name."""
BOUNCED: Final = "the mailbox of a subscriber refused a digest; it counts as unconfirmed now"
GROUPED: Final = (Hold.BULK.value, Hold.SPAM.value)
"""The messages with these reasons are one group of lines."""


def next_digest(after: datetime, zone: tzinfo, hour: int) -> datetime:
    """Return the next time after this one at which a clock in the zone shows the hour."""
    local = after.astimezone(zone)
    moment = datetime.combine(local.date(), time_of_day(hour), zone)
    if moment <= local:
        moment = datetime.combine(local.date() + timedelta(days=1), time_of_day(hour), zone)
    return moment.astimezone(after.tzinfo)


class Digests:
    """Writes the digests that are due. Never raises; while the store is away it does nothing.

    `account` sends mail; None when that is off.
    """

    def __init__(
        self,
        settings: Settings,
        default_accounts: Mapping[Network, str] | None,
        now: Callable[[], datetime],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._account = (default_accounts or {}).get(Network.EMAIL)
        self._now = now
        self._seconds = seconds
        self._next_at = 0.0
        self._runner = BatchRunner("digest")
        self.counters: Counter[str] = Counter()

    def turn(self) -> None:
        """Write what is due, unless the pause since the last look goes on."""
        if self._account is None or self._seconds() < self._next_at:
            return
        self._next_at = self._seconds() + CHECK_SECONDS
        # In no order: some that fail again and again must not keep the others from their turn.
        due = _find_confirmed().filter(digest_at__lte=self._now()).order_by("?")
        ids = due.values_list("owner_id", flat=True)[:PAGE_SUBSCRIBERS]
        owners = self._runner.run_one(lambda: list(ids))
        if isinstance(owners, GatewayError):
            return
        works = (partial(self._write, owner_id, self._account) for owner_id in owners)
        results = [self._runner.run_one(work) for work in works]
        written = [one for one in results if not isinstance(one, GatewayError)]
        self.counters["digests"] += sum(written)
        if len(written) == PAGE_SUBSCRIBERS:
            self._next_at = 0.0

    def _write(self, owner_id: int, account: str) -> int:
        """Write the digest of one subscriber, and note it: one transaction. Return 1 if there was anything to say."""
        now = self._now()
        with transaction.atomic(durable=True):
            # Another process may have written it since: the row is read anew, under its lock.
            locked = _find_confirmed().select_for_update(of=("self",), skip_locked=True)
            row = locked.filter(owner_id=owner_id, digest_at__lte=now).first()
            if row is None:
                return 0
            owner = row.owner
            locale = Locale(owner.time_zone, owner.language)
            until = now - COMMIT_LAG
            digest = self._gather(row, until, now)
            hour = self._settings.digest_hour
            OwnerMailbox.objects.filter(pk=owner_id).update(
                digest_at=next_digest(now + MIN_GAP, locale.zone, hour), digest_until=until
            )
            if digest.is_empty:
                return 0
            mail = self._compose(digest, row, locale, now)
            enqueue_mails([mail], self._settings, account, now)
        log.info("a digest of %d held messages", digest.number, extra={"message_id": mail.id})
        return 1

    def _gather(self, row: OwnerMailbox, until: datetime, now: datetime) -> Digest:
        """Read what is held since the last digest, and how much more there is from before; and its budgets."""
        # One that waits for a budget needs no decision, and the author decides about the rest of a text.
        pending = Delivery.objects.filter(HELD, subscriber_id=row.owner_id)
        held = pending.exclude(hold__in=UNDECIDABLE)
        new = held.filter(created_at__lt=until)
        earlier: dict[str, int | datetime | None] = {}
        if row.digest_until is not None:
            before = held.filter(created_at__lt=row.digest_until)
            earlier = before.aggregate(
                number=Count("message_id", distinct=True), end=Min("held_until")
            )
            new = new.filter(created_at__gte=row.digest_until)
        # A release by a person may have brought older ones there.
        over_budget = pending.filter(hold=Hold.BUDGET.value, updated_at__lt=until)
        if row.digest_until is not None:
            over_budget = over_budget.filter(updated_at__gte=row.digest_until)
        warnings = [
            one
            for one in budget_warnings(now, row.digest_until)
            if one.owner_id == row.owner_id and one.reached_at <= until
        ]
        bulk, single = new.filter(hold__in=GROUPED), new.exclude(hold__in=GROUPED)
        entries = _choose(single)
        number, end = earlier.get("number"), earlier.get("end")
        return Digest(
            owner=row.owner.name,
            mail_domain=self._settings.mail_domain,
            entries=entries,
            others=_count(single) - len(entries),
            bulk=_choose_bulk(bulk),
            bulk_number=_count(bulk),
            earlier=number if isinstance(number, int) else 0,
            earlier_end=end if isinstance(end, datetime) else None,
            over_budget=_count(over_budget),
            warnings=warnings,
        )

    def _compose(
        self, digest: Digest, row: OwnerMailbox, locale: Locale, now: datetime
    ) -> GatewayMail:
        settings, stop_url = self._settings, ""
        link: Link = None
        if settings.has_public_pages:
            link = partial(link_to_held, settings, now)
            end = now + timedelta(days=STOP_DAYS)
            stop_url = link_to_mailbox(settings, MailboxLink.STOP, stop_subject(row), end)
        return GatewayMail(
            id=message_id("digest", str(row.owner_id), now.isoformat()),
            kind=MailKind.DIGEST,
            recipient=row.address,
            subject=digest_subject(digest, locale.language),
            text=digest_text(digest, locale, link, stop_url),
            owner_id=row.owner_id,
            reference=stop_url,
        )


def unconfirm_bounced(rows: Sequence[DeliveryState]) -> None:
    """Mark the mailboxes as unconfirmed whose digests are among these failed deliveries: a query, none without any."""
    ids = {row.message_id for row in rows if row.recipient_network is Network.EMAIL}
    digests = Message.objects.filter(id__in=ids, mail_kind=MailKind.DIGEST.value)
    for owner_id, address in digests.values_list("subscriber_id", "recipient") if ids else ():
        mailbox = OwnerMailbox.objects.filter(pk=owner_id, address=address)
        if mailbox.filter(confirmed_at__isnull=False).update(confirmed_at=None):
            transaction.on_commit(partial(log.warning, BOUNCED))


def stop_subject(row: OwnerMailbox) -> str:
    """Return the subject of the link that stops the mails to a mailbox, for as long as it stays confirmed."""
    confirmed = int(row.confirmed_at.timestamp()) if row.confirmed_at else 0
    return f"{row.owner_id}-{confirmed}"


def _find_confirmed() -> "QuerySet[OwnerMailbox]":
    rows = OwnerMailbox.objects.filter(confirmed_at__isnull=False, owner__is_active=True)
    return rows.select_related("owner")


def _count(rows: "QuerySet[Delivery]") -> int:
    # A message for several devices has a delivery for each.
    return int(rows.aggregate(number=Count("message_id", distinct=True))["number"])


def _choose(rows: "QuerySet[Delivery]") -> list[HeldEntry]:
    """Return the oldest messages, of one author a few: a flood by one must not hide the others."""
    columns = (
        *("message_id", "message__sender", "message__author_level", "hold", "reason"),
        *("created_at", "held_until", "display_name"),
    )
    chosen: dict[str, HeldEntry] = {}
    of_author: Counter[str] = Counter()
    found = rows.order_by("created_at", "id").values_list(*columns)[:MAX_READ]
    for number, author, level, hold, reason, received_at, held_until, name in found:
        key = author.lower()
        if number in chosen or of_author[key] >= MAX_ENTRIES_PER_AUTHOR:
            continue
        of_author[key] += 1
        chosen[number] = HeldEntry(
            message_id=number,
            author=author,
            level=level,
            hold=hold,
            reason=reason,
            received_at=received_at,
            held_until=held_until,
            display_name=name,
        )
        if len(chosen) == MAX_ENTRIES:
            break
    return _add_texts(list(chosen.values()))


def _choose_bulk(rows: "QuerySet[Delivery]") -> list[BulkEntry]:
    """Return the lists and programs with the most messages."""
    columns = ("message__sender", "message_id")
    found: dict[str, list[str]] = defaultdict(list)
    for author, number in rows.order_by("-created_at", "-id").values_list(*columns)[:MAX_READ]:
        found[author.lower()].append(number)
    most = sorted(found.items(), key=lambda one: -len(set(one[1])))[:MAX_BULK_ENTRIES]
    subjects = _read_texts([numbers[0] for _, numbers in most])
    return [
        BulkEntry(
            message_id=numbers[0],
            author=author,
            number=len(set(numbers)),
            subject=subjects.get(numbers[0], ("", ""))[0],
        )
        for author, numbers in most
    ]


def _add_texts(entries: Sequence[HeldEntry]) -> list[HeldEntry]:
    texts = _read_texts([one.message_id for one in entries])
    return [
        replace(one, subject=subject, text=text)
        for one in entries
        for subject, text in (texts.get(one.message_id, ("", "")),)
    ]


def _read_texts(ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return subject and text by message; none where the key of one is missing: the digest is sent without."""
    rows = Message.objects.filter(id__in=ids).values_list("id", "subject", "text")
    try:
        return {number: (subject, text) for number, subject, text in rows}
    except UnknownKey:
        return {}
