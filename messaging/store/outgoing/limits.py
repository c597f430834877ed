"""Bounds how much a device sends within an hour and a day. Counts the stored messages, so that no row is hot."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from messaging.config.settings import Settings
from messaging.store.accept.refusals import Refusal
from messaging.store.db.sql import ONE_OF, list_parameter, storable_time

_SEGMENT_CHARACTERS: Final = 153
MAX_HOURLY_EMERGENCIES: Final = 20
"""How many calls for help of a device reach the recipient that they name, past its limits, within an hour.

The emergency contacts and the operators get every one.
"""
_KIND: Final = "too_many_from_device"
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)

# Only the gateway's own messages about emergencies have a subject. The units of a text are estimated until its network
# reports them.
_SENT: Final = (
    "SELECT m.device_id,"  # noqa: S608
    " COUNT(DISTINCT CASE WHEN m.created_at >= %s AND NOT d.is_urgent THEN m.id END),"
    " COUNT(DISTINCT CASE WHEN NOT d.is_urgent THEN m.id END),"
    " COALESCE(SUM(CASE WHEN d.recipient_network = 'sms' AND NOT d.is_urgent"
    f" THEN COALESCE(d.units, (LENGTH(m.text) + {_SEGMENT_CHARACTERS - 1}) / {_SEGMENT_CHARACTERS})"
    " ELSE 0 END), 0),"
    " COUNT(DISTINCT CASE WHEN m.created_at >= %s AND d.is_urgent AND m.subject = '' THEN m.id END)"
    " FROM users_message m JOIN users_delivery d ON d.message_id = m.id"
    " WHERE m.device_id IS NOT NULL AND {} AND m.created_at >= %s GROUP BY m.device_id"
)


@dataclass(frozen=True, slots=True)
class SentCount:
    """The messages of a device within an hour and a day, the billed units of its SMS within a day.

    `urgent` counts the calls for help to a recipient that they name, within an hour. They are in none of the others,
    nor are the messages to the emergency contacts and operators.
    """

    hourly: int = 0
    daily: int = 0
    units: int = 0
    urgent: int = 0


class DeviceLimits:
    """The limits of the devices of one batch: each decision counts the earlier ones. 0 is no limit."""

    def __init__(self, settings: Settings, sent: Mapping[int, SentCount]) -> None:
        self._hourly = settings.max_hourly_per_device
        self._daily = settings.max_daily_per_device
        self._units = settings.max_daily_units_per_device
        self._sent = dict(sent)

    def refuse(self, device_id: int, units: int) -> Refusal | None:
        """Return why one more message with these units is refused; None while the device is within its limits."""
        sent = self._sent.get(device_id, SentCount())
        if self._hourly and sent.hourly >= self._hourly:
            return Refusal(_KIND, f"{self._hourly} messages within an hour; send again later")
        if self._daily and sent.daily >= self._daily:
            return Refusal(_KIND, f"{self._daily} messages within a day; send again tomorrow")
        if self._units and units and sent.units + units > self._units:
            return Refusal(_KIND, f"{self._units} SMS within a day; send again tomorrow")
        return None

    def has_room_for_emergency(self, device_id: int) -> bool:
        """Return whether a call for help reaches the recipient that it names past all limits."""
        sent, most = self._sent.get(device_id, SentCount()), MAX_HOURLY_EMERGENCIES
        # Messages beside an alarm button are urgent only in part.
        return sent.urgent < most and not (self._hourly and sent.hourly >= self._hourly + most)

    def count(self, device_id: int, units: int, *, is_urgent: bool) -> None:
        """Count an accepted message."""
        sent = self._sent.get(device_id, SentCount())
        self._sent[device_id] = (
            SentCount(sent.hourly, sent.daily, sent.units, sent.urgent + 1)
            if is_urgent
            else SentCount(sent.hourly + 1, sent.daily + 1, sent.units + units, sent.urgent)
        )


def estimate_units(text: str) -> int:
    """Return the units of a text by SMS, by its length: its network reports the true ones later."""
    return max(1, (len(text) + _SEGMENT_CHARACTERS - 1) // _SEGMENT_CHARACTERS)


def count_sent(device_ids: Collection[int], now: datetime) -> dict[int, SentCount]:
    """Return how much these devices have sent: one query, which an index bounds to their last day."""
    if not device_ids:
        return {}
    hour, day = storable_time(now - _HOUR), storable_time(now - _DAY)
    statement = _SENT.format(ONE_OF[connection.vendor].format("m.device_id"))
    with connection.cursor() as cursor:
        cursor.execute(statement, [hour, hour, list_parameter(device_ids), day])
        return {row[0]: SentCount(*map(int, row[1:])) for row in cursor.fetchall()}
