"""Where a device is, and whether it calls for help: what networks report beside texts. Frozen values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from messaging.model.address import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place on the earth (WGS 84): degrees north and east, metres above sea level, and when the device was there.

    It was probably within `accuracy_meters` of the place; None where nobody says, as with a satellite receiver of its
    own. Raises ValueError for a place that there is not.
    """

    latitude: float
    longitude: float
    altitude_meters: float | None = None
    accuracy_meters: float | None = None
    at: datetime | None = None

    def __post_init__(self) -> None:
        # Written so that "not a number" is refused too.
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise ValueError("there is no such place")

    def map_link(self, template: str) -> str:
        """Return a link that shows the place on a map: an URL with `{latitude}` and `{longitude}` in it."""
        # Five decimals are a metre. Replaced, not formatted: an URL may hold braces of its own.
        north, east = f"{self.latitude:.5f}", f"{self.longitude:.5f}"
        return template.replace("{latitude}", north).replace("{longitude}", east)


class Sos(StrEnum):
    """What a device says about an emergency."""

    DECLARED = "declared"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReport:
    """What a device said about itself: where it was `at` that time, its battery, an emergency. Idempotent on `id`.

    With `sos` it is never refused: it becomes a message to whoever shall know, with the `text` that came with it.
    """

    id: str
    sender: Address
    via: str
    at: datetime | None = None
    position: Position | None = None
    battery_percent: int | None = None
    sos: Sos | None = None
    text: str = ""
