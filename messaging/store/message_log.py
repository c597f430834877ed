"""A source of the dataflow layer for jobs of users: every accepted message, in order, from a position."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from messaging.config.settings import Settings
from messaging.store.db.connection import close_connection, open_store, store_errors

Position = tuple[str, str]
"""The time (ISO 8601) and the id of the last message that was read."""


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """An accepted message: its subscriber (may be empty), the account that brought it, and when (seconds, UTC)."""

    id: str
    subscriber: str
    via: str
    at: float


class MessageLog:
    """Reads the messages of the store, and changes nothing. Blocking.

    Messages younger than `settle_seconds` are left for later: a transaction that began before others may commit after
    them, and would be missed. Raises Unavailable while the store is away. The position None is the beginning.
    """

    idle_seconds = 1.0

    def __init__(
        self,
        settings: Settings,
        settle_seconds: float = 10.0,
        now: Callable[[], datetime] = timezone.now,
    ) -> None:
        self._settings = settings
        self._settle = timedelta(seconds=settle_seconds)
        self._now = now

    def read(
        self, position: Position | None, count: int
    ) -> tuple[Sequence[AcceptedMessage], Position | None]:
        """Return up to `count` events after the position, and the new position. There is no end."""
        open_store(self._settings)
        with store_errors():
            events = self._after(position, count)
        if not events:
            return (), position
        last = events[-1]
        return [event for event, _ in events], (last[1].isoformat(), last[0].id)

    def close(self) -> None:
        """Close the connection."""
        close_connection()

    def _after(
        self, position: Position | None, count: int
    ) -> list[tuple[AcceptedMessage, datetime]]:
        # A job of a user sets up no Django in its processes; `read` has done it by now.
        from messaging.store.models import Message

        rows = Message.objects.filter(created_at__lt=self._now() - self._settle)
        if position is not None:
            moment = datetime.fromisoformat(position[0])
            rows = rows.filter(Q(created_at__gt=moment) | Q(created_at=moment, id__gt=position[1]))
        columns = rows.order_by("created_at", "id").values_list(
            "id", "subscriber__name", "via", "created_at"
        )
        return [
            (AcceptedMessage(id, name or "", via, moment.timestamp()), moment)
            for id, name, via, moment in columns[:count]
        ]
