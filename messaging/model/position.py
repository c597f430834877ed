"""Positions, battery levels and emergencies that devices report. Frozen values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from messaging.model.address import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place on the earth (WGS 84): degrees north and east, metres above sea level, and the time of the device there.

    The device was probably within `accuracy_meters` of the place; None where the network does not report it. Raises
    ValueError for a place that does not exist.
    """

    latitude: float
    longitude: float
    altitude_meters: float | None = None
    accuracy_meters: float | None = None
    at: datetime | None = None

    def __post_init__(self) -> None:
        # In this form the condition refuses NaN too.
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise ValueError("no such place on the earth")

    def map_link(self, template: str) -> str:
        """Return a link to the place on a map. The template holds `{latitude}` and `{longitude}`."""
        # Five decimals are a metre. Not `format`: a URL may hold braces of its own.
        north, east = f"{self.latitude:.5f}", f"{self.longitude:.5f}"
        return template.replace("{latitude}", north).replace("{longitude}", east)


class Sos(StrEnum):
    """The stages of an emergency."""

    DECLARED = "declared"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReport:
    """A report of a device at a time: its position, its battery level, an emergency. Idempotent on `id`.

    `battery_low` is True where the device says so without a level, else None.

    A report with `sos` is never refused: it becomes a message with its `text` to the emergency contacts and operators.
    `claimed_at` is the impossible time that the device gave; `at` is the time of receipt then.
    """

    id: str
    sender: Address
    via: str
    at: datetime | None = None
    position: Position | None = None
    battery_percent: int | None = None
    battery_low: bool | None = None
    sos: Sos | None = None
    text: str = ""
    claimed_at: datetime | None = None
