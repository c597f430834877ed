"""Message codes of Garmin's events: the meaning of each, and the treatment of its event. Guide "IPC Outbound" 2.0.8."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from messaging.model.position import Sos


class EventKind(Enum):
    """The treatment of an event. A position in the event is always stored."""

    DELIVER = auto()
    """Deliver its text to its addresses."""
    KEEP = auto()
    """Store the report of the device only."""
    ALARM = auto()
    """Raise an emergency."""
    DECODE = auto()
    """Decode its bytes, which are in the devices' own message format."""
    UNREADABLE = auto()
    """Store its bytes for people; the gateway cannot read them."""
    NOTE = auto()
    """Write a line in the log only."""


@dataclass(frozen=True, slots=True)
class EventMeaning:
    """The meaning of a message code. `text` is that of a button or a list, for events without one."""

    name: str
    kind: EventKind
    sos: Sos | None = None
    text: str = ""


PREDEFINED: Final = range(24, 64)

_CODES: Final = {
    0: EventMeaning("position report", EventKind.KEEP),
    1: EventMeaning("reserved", EventKind.NOTE),
    2: EventMeaning("locate response", EventKind.KEEP),
    3: EventMeaning("free text", EventKind.DELIVER),
    4: EventMeaning("SOS declared", EventKind.ALARM, Sos.DECLARED),
    5: EventMeaning("reserved", EventKind.NOTE),
    6: EventMeaning("SOS confirmed", EventKind.ALARM, Sos.CONFIRMED),
    7: EventMeaning("SOS cancelled", EventKind.ALARM, Sos.CANCELLED),
    8: EventMeaning("reference point", EventKind.DELIVER),
    9: EventMeaning("check-in", EventKind.KEEP),  # in no guide, reported by others
    10: EventMeaning("tracking begun", EventKind.KEEP),
    11: EventMeaning("tracking interval changed", EventKind.KEEP),
    12: EventMeaning("tracking ended", EventKind.KEEP),
    13: EventMeaning("unknown index", EventKind.NOTE),
    14: EventMeaning("preset message", EventKind.DELIVER, text="Preset message 1"),
    15: EventMeaning("preset message", EventKind.DELIVER, text="Preset message 2"),
    16: EventMeaning("preset message", EventKind.DELIVER, text="Preset message 3"),
    17: EventMeaning("MapShare message", EventKind.DELIVER),
    20: EventMeaning("mail check", EventKind.KEEP),
    21: EventMeaning("am I alive", EventKind.KEEP),
    **{
        code: EventMeaning(
            "predefined message", EventKind.DELIVER, text=f"Predefined message {code}"
        )
        for code in PREDEFINED
    },
    64: EventMeaning("encrypted binary", EventKind.UNREADABLE),
    65: EventMeaning("pingback", EventKind.NOTE),
    66: EventMeaning("generic binary", EventKind.DECODE),
    67: EventMeaning("pinpoint binary", EventKind.UNREADABLE),
    68: EventMeaning("encryption negotiation", EventKind.NOTE),
    69: EventMeaning("encryption refused", EventKind.NOTE),
    3099: EventMeaning("quick text", EventKind.DELIVER),
}
MEANINGS: Final[Mapping[int, EventMeaning]] = MappingProxyType(_CODES)
"""Message code of an event → its meaning."""

UNKNOWN: Final = EventMeaning("unknown code", EventKind.DELIVER)
"""The meaning of a code that is in no guide: its text, if it has one, must not be lost."""
