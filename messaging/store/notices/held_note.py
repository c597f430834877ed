"""Tells the author of a held message, once, that it waits for a decision: in the transaction that holds it."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from messaging.config.settings import Settings
from messaging.model.address_syntax import own_mailbox, relay_mailbox
from messaging.model.message import Address, MailKind, Message, Network, message_id
from messaging.store.accept.routing import RoutedMessage
from messaging.store.models import HeldNote, Subscriber
from messaging.store.models import Message as StoredMessage
from messaging.store.notices.gateway_mail import GatewayMail, enqueue_mails
from messaging.words.invisible import one_line

MEMORY: Final = timedelta(days=14)
"""The least time between two notes to one author about one subscriber."""
DAY: Final = timedelta(days=1)
MAX_DAILY_NOTES: Final = 20
"""How many authors hear within a day of messages that are held for one subscriber."""
MAX_SUBJECT_CHARACTERS: Final = 100

HeldWords = tuple[str, str, str]
"""The words of a note: the reason why a message waits, the condition on which it goes, and the subject."""
DECISION: Final = (
    "for the decision of its recipient, whose contacts you are not among",
    "it is released",
    "Waits for a decision",
)
BUDGET: Final = (
    "because a limit on the costs of its recipient is reached",
    "there is room again",
    "Waits for a budget",
)


class HeldNotes:
    """The notes to authors of held messages. None leaves where mail, or notices by mail, are off.

    An author has one note about a subscriber while messages may be held, and no other news of them.
    """

    def __init__(self, settings: Settings, default_accounts: Mapping[Network, str]) -> None:
        self._settings = settings
        self._account = default_accounts.get(Network.EMAIL)
        self._memory = memory_of(settings)

    def enqueue(self, routed: Sequence[RoutedMessage], now: datetime) -> None:
        """Write the notes about these messages, as far as they want any. Call it within the same transaction.

        Runs no statement when none does, and otherwise a fixed number.
        """
        account = self._account if self._settings.mail_failure_notices else None
        wanted: dict[tuple[int, str], Message] = {}
        for one in routed:
            if not one.wants_note or one.route.subscriber_id is None:
                continue
            author = one.message.sender.value
            # A note to a mailbox of ours would go to a device.
            if relay_mailbox(author) and own_mailbox(author, self._settings.mail_domain) is None:
                wanted.setdefault((one.route.subscriber_id, author.lower()), one.message)
        if account is None or not wanted:
            return
        self._write(wanted, account, now)

    def enqueue_stored(self, stored: Sequence[StoredMessage], now: datetime) -> None:
        """Write the notes about these messages, which a budget holds. Call it within a transaction."""
        account = self._account if self._settings.mail_failure_notices else None
        wanted: dict[tuple[int, str], Message] = {}
        for one in stored:
            author = one.sender
            if relay_mailbox(author) and own_mailbox(author, self._settings.mail_domain) is None:
                message = Message(
                    id=one.id,
                    sender=Address(Network.EMAIL, author),
                    recipient=Address(Network.EMAIL, one.recipient),
                    text="",
                    subject=one.subject,
                    via=one.via,
                    reference=one.reference,
                )
                wanted.setdefault((one.subscriber_id or 0, author.lower()), message)
        if account is not None and wanted:
            self._write(wanted, account, now, BUDGET)

    def _write(
        self,
        wanted: Mapping[tuple[int, str], Message],
        account: str,
        now: datetime,
        why: HeldWords = DECISION,
    ) -> None:
        """Write the notes that the limits allow, by subscriber and author: a fixed number of statements."""
        locked = lock_subscribers({owner for owner, _ in wanted})
        notes = HeldNote.objects.filter(owner_id__in=locked)
        notes.filter(sent_at__lte=now - self._memory).delete()
        rows = list(notes.values_list("owner_id", "author", "sent_at"))
        known = {(owner, author) for owner, author, _ in rows}
        today = Counter(owner for owner, _, sent_at in rows if sent_at > now - DAY)
        new = []
        for owner, author in wanted:
            if owner in locked and (owner, author) not in known and today[owner] < MAX_DAILY_NOTES:
                today[owner] += 1
                new.append((owner, author))
        HeldNote.objects.bulk_create(HeldNote(owner_id=o, author=a, sent_at=now) for o, a in new)
        mails = [self._compose(wanted[key], key[0], now, why) for key in new]
        enqueue_mails(mails, self._settings, account, now)

    def _compose(
        self, message: Message, owner_id: int, now: datetime, why: HeldWords
    ) -> GatewayMail:
        end = now + timedelta(days=self._settings.held_days)
        subject = one_line(message.subject, MAX_SUBJECT_CHARACTERS)
        about = f' "{subject}"' if subject else ""
        blocks = [
            f"Your message{about} to {message.recipient.value} has arrived and waits {why[0]}."
            " Messages to a satellite device cost its owner.",
            f"It waits until {end:%Y-%m-%d}, and is not delivered unless {why[1]} before.",
            "What to do: nothing; you need not send it again. If it is urgent, reach them in another way."
            " You get no further note about this message, or about the next ones.",
            "This is an automated message; replies are not monitored.",
        ]
        return GatewayMail(
            id=message_id("held-note", message.id),
            kind=MailKind.HELD_NOTE,
            recipient=message.sender.value,
            subject=f"{why[2]}: {subject}" if subject else "Your message waits",
            text="\n\n".join(blocks),
            owner_id=owner_id,
            reference=message.reference,
        )


def memory_of(settings: Settings) -> timedelta:
    """Return for how long notes to authors are remembered."""
    return max(MEMORY, timedelta(days=settings.held_days))


def lock_subscribers(owners: Collection[int]) -> set[int]:
    """Lock these subscribers, and return those that there are: two batches must not both count the notes of a day."""
    rows = Subscriber.objects.filter(id__in=owners).order_by("id")
    if connection.features.has_select_for_update:
        # The weaker lock: rows that refer to a subscriber may still be inserted.
        rows = rows.select_for_update(no_key=connection.vendor == "postgresql")
    return set(rows.values_list("id", flat=True))
