"""Finds the parts that an account submitted and that no receipt has settled, for status pollers."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone

from messaging.config.settings import Settings
from messaging.model.message import ReceiptState
from messaging.store.db.connection import close_connection, open_store, store_errors
from messaging.store.models import DeliveryPart
from messaging.store.states import State

COUNT = 200


class Unconfirmed:
    """The unconfirmed parts of one account, a page at a time. Blocking; opens the store at first use, so it pickles."""

    def __init__(
        self,
        settings: Settings,
        via: str,
        hours: float,
        count: int = COUNT,
        now: Callable[[], datetime] = timezone.now,
    ) -> None:
        self._settings = settings
        self._via = via
        self._hours = hours
        self._count = count
        self._now = now
        self._after = 0

    def next(self) -> list[str]:
        """Return the network's ids of up to `count` parts: those after the last ones, then from the first again.

        Raises Unavailable when the store is away.
        """
        open_store(self._settings)
        try:
            with store_errors():
                rows = self._rows()
        finally:
            # Called seldom, from any thread that is free: a connection for each would pile up.
            close_connection()
        self._after = rows[-1][0] if len(rows) == self._count else 0
        return [network_id for _, network_id in rows]

    def _rows(self) -> list[tuple[int, str]]:
        rows = DeliveryPart.objects.filter(
            via=self._via,
            state=ReceiptState.ON_ITS_WAY,
            id__gt=self._after,
            delivery__state=State.SENT,
            updated_at__gt=self._now() - timedelta(hours=self._hours),
        )
        return list(rows.order_by("id").values_list("id", "network_id")[: self._count])
