"""Tells the authors of messages that a budget holds, a few minutes later at most, by the notes about held messages."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from django.db import transaction

from messaging.config.settings import Settings
from messaging.errors import GatewayError
from messaging.model.authentication import AuthorLevel
from messaging.model.message import Network
from messaging.store.admission.terms import Hold
from messaging.store.db.connection import BatchRunner
from messaging.store.models import HELD, Delivery, Message
from messaging.store.notices.held_note import HeldNotes

CHECK_SECONDS: Final = 60.0
PAGE_ROWS: Final = 200
_SURE: Final = tuple(level.value for level in AuthorLevel if level.names_author)


class BudgetNotes:
    """Writes the notes about messages that budgets hold, a page at a look. Never raises.

    Not in the transaction that holds them: that one has locked the budgets of all.
    """

    def __init__(
        self,
        settings: Settings,
        default_accounts: Mapping[Network, str] | None,
        now: Callable[[], datetime],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._notes = HeldNotes(settings, default_accounts or {})
        self._now = now
        self._seconds = seconds
        self._next_at = 0.0
        self._place = 0
        self._runner = BatchRunner("budget notes")

    def turn(self) -> None:
        """Write the notes about the next page, unless the pause since the last look goes on."""
        if self._seconds() < self._next_at:
            return
        self._next_at = self._seconds() + CHECK_SECONDS
        place = self._runner.run_one(self._write)
        if not isinstance(place, GatewayError):
            self._place = place

    def _write(self) -> int:
        """Write the notes about the next page; return the id behind which the one after it begins."""
        held = Delivery.objects.filter(
            HELD,
            hold=Hold.BUDGET.value,
            rest_characters=0,
            id__gt=self._place,
            message__sender_network=Network.EMAIL.value,
            message__author_level__in=_SURE,
            message__takes_answers=True,
            message__text_removed_at__isnull=True,
            message__subscriber__isnull=False,
        )
        found = list(held.order_by("id").values_list("id", "message_id")[:PAGE_ROWS])
        if found:
            with transaction.atomic(durable=True):
                rows = Message.objects.defer("text", "whole_text", "raw")
                messages = rows.in_bulk(dict.fromkeys(id for _, id in found))
                self._notes.enqueue_stored([messages[id] for _, id in found], self._now())
        return found[-1][0] if len(found) == PAGE_ROWS else 0
