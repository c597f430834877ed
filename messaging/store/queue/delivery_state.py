"""A delivery as the queue reads and writes it: the fields of these types are the columns. Pure, imports no model."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Final

from messaging.model.message import Network
from messaging.store.states import State

NO_REASON = "the network gave no reason"
NO_ANSWER = "the attempt ended without an answer"
NO_ATTEMPT = "no attempt was made"

NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""The end of the lifetime of urgent deliveries."""

_UPDATED: Final = {"updated": True}
"""Marks a column that changes with the state. All others keep the value that `enqueue` or `retry` wrote."""


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery that has no row yet."""

    message_id: str
    via: str
    sender_network: Network
    sender: str
    recipient_network: Network
    recipient: str
    subscriber_id: int | None
    device_id: int | None
    is_urgent: bool
    sender_name: str
    display_name: str
    expires_at: datetime
    estimated_units: int | None
    rest_characters: int


@dataclass(frozen=True, slots=True)
class NewHold:
    """The reason why a new delivery is held until a time; without a time it is refused from the start."""

    hold: str
    reason: str
    held_until: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryState(NewDelivery):
    """One row of the deliveries. The database model documents the columns.

    A new column needs the model, a migration and one field here.
    """

    id: int
    created_at: datetime
    attempts: int
    attempts_forgiven: int = field(metadata=_UPDATED)
    state: State = field(metadata=_UPDATED)
    leased: bool = field(metadata=_UPDATED)
    due_at: datetime | None = field(metadata=_UPDATED)
    reason: str = field(metadata=_UPDATED)
    network_id: str = field(metadata=_UPDATED)
    parts_sent: int = field(metadata=_UPDATED)
    uncertain: int = field(metadata=_UPDATED)
    losses: int = field(metadata=_UPDATED)
    units: int | None = field(metadata=_UPDATED)
    updated_at: datetime = field(metadata=_UPDATED)
    settled_at: datetime | None = field(metadata=_UPDATED)
    hold: str = field(metadata=_UPDATED)
    held_until: datetime | None = field(metadata=_UPDATED)

    @property
    def attempts_of_round(self) -> int:
        """The attempts since it was accepted, or since the last retry by hand; without those of a blocked account."""
        return self.attempts - self.attempts_forgiven

    @property
    def last_reason(self) -> str:
        """The result of the last attempt, in words."""
        if self.leased:
            return NO_ANSWER
        return self.reason or (NO_REASON if self.attempts_of_round else NO_ATTEMPT)


NEW_COLUMNS: Final = tuple(one.name for one in fields(NewDelivery))
COLUMNS: Final = tuple(one.name for one in fields(DeliveryState))
UPDATED_COLUMNS: Final = tuple(one.name for one in fields(DeliveryState) if one.metadata)
new_values: Final = attrgetter(*NEW_COLUMNS)
updated_values: Final = attrgetter(*UPDATED_COLUMNS)

_TIME_NAMES: Final = {
    one.name for one in fields(DeliveryState) if one.type in (datetime, datetime | None)
}


def time_indexes(columns: Sequence[str]) -> tuple[int, ...]:
    """Return which of the columns hold a time: SQLite needs a conversion there."""
    return tuple(index for index, name in enumerate(columns) if name in _TIME_NAMES)
