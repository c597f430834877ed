"""Asks the author of a text that was longer than a device gets at once, when its first parts are settled."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from messaging.config.settings import Settings
from messaging.costs.amounts import Amount, to_millionths
from messaging.model.address_syntax import own_mailbox, relay_mailbox
from messaging.model.message import MailKind, Network, Rest, message_id
from messaging.store.admission.links import link_to_rest
from messaging.store.admission.rests import may_spend
from messaging.store.admission.terms import HOLD_REASONS, Hold
from messaging.store.models import HeldNote, Message, Tariff
from messaging.store.notices.gateway_mail import GatewayMail, enqueue_mails
from messaging.store.notices.held_note import (
    DAY,
    MAX_DAILY_NOTES,
    MAX_SUBJECT_CHARACTERS,
    lock_subscribers,
    memory_of,
)
from messaging.store.queue.delivery_state import (
    NEVER,
    DeliveryState,
    NewDelivery,
    NewHold,
    new_values,
)
from messaging.store.queue.enqueue import hold
from messaging.words.invisible import one_line

KEY: Final = "rest of "
"""Before the id of a message: the key of its note among those to authors."""


class RestNotes:
    """The notes to authors of texts with a rest, which is held while the author is asked.

    None leaves where mail, or notices by mail, are off. There is one note for a message, and it counts in the notes of
    a day about a subscriber.
    """

    def __init__(self, settings: Settings, default_accounts: Mapping[Network, str] | None) -> None:
        self._settings = settings
        accounts = default_accounts or {}
        self._account = accounts.get(Network.EMAIL) if settings.mail_failure_notices else None

    def enqueue(self, rests: Sequence[tuple[DeliveryState, Rest]], now: datetime) -> None:
        """Hold the rests of these deliveries and write the notes about them. Call it within the same transaction.

        Runs no statement without any.
        """
        # Of several devices of one message, the first asks.
        by_message = {row.message_id: (row, rest) for row, rest in reversed(rests)}
        if self._account is None or not by_message:
            return
        found = Message.objects.filter(id__in=list(by_message)).select_related("subscriber")
        found = found.defer("text", "whole_text", "raw")
        messages = [one for one in found.order_by("id") if self._may_ask(one, now)]
        asked = self._count(messages, now) if messages else []
        held_until = now + timedelta(days=self._settings.held_days)
        held = NewHold(Hold.PARTS.value, HOLD_REASONS[Hold.PARTS], held_until)
        rows = []
        for row, rest in (by_message[one.id] for one in asked):
            # Its lifetime begins when it is released.
            delivery = replace(
                NewDelivery(*new_values(row)),
                rest_characters=rest.characters,
                estimated_units=rest.units,
                expires_at=NEVER,
            )
            rows.append((delivery, held))
        hold(rows, now)
        tariffs = Tariff.objects.filter(account__in={row.via for row, _ in rows})
        prices = {one.account: one for one in tariffs}
        mails = [self._compose(one, *by_message[one.id], prices, now) for one in asked]
        enqueue_mails(mails, self._settings, self._account, now)

    def _may_ask(self, message: Message, now: datetime) -> bool:
        author = message.sender
        is_mail = message.sender_network == Network.EMAIL and relay_mailbox(author) is not None
        # A note to a mailbox of ours would go to a device.
        is_ours = own_mailbox(author, self._settings.mail_domain) is not None
        is_answered = is_mail and not is_ours and message.takes_answers
        return is_answered and may_spend(message, now)

    def _count(self, messages: Sequence[Message], now: datetime) -> list[Message]:
        """Return the messages whose authors are asked, and note them."""
        locked = lock_subscribers({one.subscriber_id or 0 for one in messages})
        notes = HeldNote.objects.filter(owner_id__in=locked)
        notes.filter(sent_at__lte=now - memory_of(self._settings)).delete()
        known = set(
            notes.filter(author__in=[KEY + one.id for one in messages]).values_list(
                "author", flat=True
            )
        )
        today = list(notes.filter(sent_at__gt=now - DAY).values_list("owner_id", flat=True))
        asked = []
        for one in messages:
            owner = one.subscriber_id or 0
            has_room = owner in locked and today.count(owner) < MAX_DAILY_NOTES
            if has_room and KEY + one.id not in known:
                today.append(owner)
                asked.append(one)
        HeldNote.objects.bulk_create(
            HeldNote(owner_id=one.subscriber_id or 0, author=KEY + one.id, sent_at=now)
            for one in asked
        )
        return asked

    def _compose(
        self,
        message: Message,
        row: DeliveryState,
        rest: Rest,
        prices: Mapping[str, Tariff],
        now: datetime,
    ) -> GatewayMail:
        subject = one_line(message.subject, MAX_SUBJECT_CHARACTERS)
        about = f' "{subject}"' if subject else ""
        first, more = len(rest.display), "part" if rest.parts == 1 else "parts"
        end = now + timedelta(days=self._settings.held_days)
        blocks = [
            f"Your message{about} to {message.recipient} is longer than its device gets at once."
            f" The device was sent the first {first} of {first + rest.parts} parts:",
            "\n".join(rest.display),
            f"The other {rest.parts} {more} are stored and not sent."
            f" They cost the owner of the device {_price(row.via, rest, prices)}.",
            *self._choices(message.id, end, now),
            "This is an automated message; replies are not monitored.",
        ]
        return GatewayMail(
            id=message_id("rest-note", message.id),
            kind=MailKind.REST_NOTE,
            recipient=message.sender,
            subject=f"Too long for the device: {subject}" if subject else "Too long for the device",
            text="\n\n".join(blocks),
            owner_id=row.subscriber_id or 0,
            reference=message.reference,
        )

    def _choices(self, id: str, end: datetime, now: datetime) -> list[str]:
        shorten = "a shorter text in a new message"
        if not self._settings.has_public_pages:
            return [f"What to do: if the rest matters, write {shorten}."]
        return [
            "To send them, or to leave it at the first ones, open this page and press a button:\n"
            + link_to_rest(self._settings, now, id),
            f"You can also write {shorten}. If you do nothing, the rest is not sent;"
            f" the choice ends on {end:%Y-%m-%d}.",
        ]


def _price(account: str, rest: Rest, prices: Mapping[str, Tariff]) -> str:
    units = f"{rest.units} {'unit' if rest.units == 1 else 'units'}"
    tariff = prices.get(account)
    if tariff is None:
        return units
    return f"{Amount(to_millionths(tariff.price) * rest.units, tariff.currency)} ({units})"
