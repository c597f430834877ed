"""The store of a fetcher: how far a provider's list was read, and which of its texts are stored. Blocking."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Final, TypeVar

from django.db import transaction
from django.utils import timezone

from messaging.config.settings import Settings
from messaging.model.address_syntax import WHATSAPP, e164
from messaging.model.message import ReceiptState
from messaging.store.db.connection import close_connection, open_store, store_errors
from messaging.store.models import (
    DeliveryPart,
    FetchMark,
    Message,
    RemovedMessage,
    Subscriber,
)
from messaging.store.states import State

T = TypeVar("T")

OVERLAP: Final = timedelta(hours=1)
"""How much of a list is read again: a text may enter it late, or be refused for a while."""


class FetchHistory:
    """The mark of one list of one account, and questions about its texts. Opens the store at first use, so it pickles.

    Every method raises Unavailable when the store is away.
    """

    def __init__(
        self,
        settings: Settings,
        via: str,
        history: str,
        now: Callable[[], datetime] = timezone.now,
    ) -> None:
        self._settings = settings
        self._via = via
        self._history = history
        self._now = now

    def since(self) -> datetime:
        """Return the time from which texts may be missing; at the very first call that is now.

        Texts from before were for another program, or came by webhooks.
        """

        def read() -> datetime:
            # To the second, as lists of providers are.
            now = self._now().replace(microsecond=0)
            mark, _ = FetchMark.objects.get_or_create(
                history=self._history, defaults={"since": now, "until": now}
            )
            return max(mark.since, mark.until - OVERLAP)

        return self._in_store(read)

    def advance(self, until: datetime) -> None:
        """Note that every text until then is taken; an earlier time changes nothing."""

        def write() -> None:
            FetchMark.objects.filter(history=self._history, until__lt=until).update(until=until)

        self._in_store(write)

    def known(self, ids: Collection[str]) -> set[str]:
        """Return those of these ids that are stored, or were."""

        def read() -> set[str]:
            stored = Message.objects.filter(id__in=ids).order_by().values_list("id", flat=True)
            removed = RemovedMessage.objects.filter(id__in=ids).values_list("id", flat=True)
            return {*stored, *removed}

        return self._in_store(read)

    def own(self, numbers: Collection[str]) -> set[str]:
        """Return those of these numbers that belong to subscribers."""
        plain = {number: e164(number.removeprefix(WHATSAPP)) for number in numbers}

        def read() -> set[str]:
            found = Subscriber.objects.filter(number__in={one for one in plain.values() if one})
            numbers = found.order_by().values_list("number", flat=True)
            return {one for one in numbers if one is not None}

        own = self._in_store(read)
        return {number for number, one in plain.items() if one in own}

    def unsettled(self, network_ids: Collection[str]) -> set[str]:
        """Return those of these parts that were sent and have no final receipt."""

        def read() -> set[str]:
            rows = DeliveryPart.objects.filter(
                via=self._via,
                network_id__in=network_ids,
                state=ReceiptState.ON_ITS_WAY,
                delivery__state=State.SENT,
            )
            return set(rows.order_by().values_list("network_id", flat=True))

        return self._in_store(read)

    def _in_store(self, work: Callable[[], T]) -> T:
        open_store(self._settings)
        try:
            with store_errors(), transaction.atomic():
                return work()
        finally:
            # Called seldom, from any thread that is free: a connection for each would pile up.
            close_connection()
