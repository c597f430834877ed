"""The tables of Garmin's IPC guides: what a message code from a device means, and what an error code refuses. Pure.

Guides "IPC Outbound" 2.0.8 (message codes) and "IPC Inbound" 3.1.1 (error codes).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from messaging.errors import GatewayError, Rejected, Unavailable
from messaging.model.position import Sos


class Act(Enum):
    """What becomes of an event. Whatever it is, a position in it is kept."""

    DELIVER = auto()
    """A text for the addresses in it."""
    KEEP = auto()
    """About the device only."""
    ALARM = auto()
    """An emergency."""
    DECODE = auto()
    """Bytes in the devices' own message format."""
    HOLD = auto()
    """Bytes that this gateway cannot read, kept for people."""
    NOTE = auto()
    """Nothing to deliver; a line in the log."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a message code stands for. `says` is the text of a button or a list, where the event brings none."""

    name: str
    act: Act
    sos: Sos | None = None
    says: str = ""


PREDEFINED: Final = range(24, 64)

_CODES: Final = {
    0: Meaning("position report", Act.KEEP),
    1: Meaning("reserved", Act.NOTE),
    2: Meaning("locate response", Act.KEEP),
    3: Meaning("free text", Act.DELIVER),
    4: Meaning("SOS declared", Act.ALARM, Sos.DECLARED),
    5: Meaning("reserved", Act.NOTE),
    6: Meaning("SOS confirmed", Act.ALARM, Sos.CONFIRMED),
    7: Meaning("SOS cancelled", Act.ALARM, Sos.CANCELLED),
    8: Meaning("reference point", Act.DELIVER),
    9: Meaning("check-in", Act.KEEP),  # in no guide, seen by others
    10: Meaning("tracking begun", Act.KEEP),
    11: Meaning("tracking interval changed", Act.KEEP),
    12: Meaning("tracking ended", Act.KEEP),
    13: Meaning("unknown index", Act.NOTE),
    14: Meaning("preset message", Act.DELIVER, says="Preset message 1"),
    15: Meaning("preset message", Act.DELIVER, says="Preset message 2"),
    16: Meaning("preset message", Act.DELIVER, says="Preset message 3"),
    17: Meaning("MapShare message", Act.DELIVER),
    20: Meaning("mail check", Act.KEEP),
    21: Meaning("am I alive", Act.KEEP),
    **{
        code: Meaning("predefined message", Act.DELIVER, says=f"Predefined message {code}")
        for code in PREDEFINED
    },
    64: Meaning("encrypted binary", Act.HOLD),
    65: Meaning("pingback", Act.NOTE),
    66: Meaning("generic binary", Act.DECODE),
    67: Meaning("pinpoint binary", Act.HOLD),
    68: Meaning("encryption negotiation", Act.NOTE),
    69: Meaning("encryption refused", Act.NOTE),
    3099: Meaning("quick text", Act.DELIVER),
}
MEANINGS: Final[Mapping[int, Meaning]] = MappingProxyType(_CODES)
"""Message code of an event → what it stands for."""

UNKNOWN: Final = Meaning("a code of tomorrow", Act.DELIVER)
"""What a code that no guide has stands for: its text, if it brings one, must not be lost."""

INTERNAL: Final = 1
THROTTLED: Final = 2
BAD_KEY: Final = 3

_REFUSES: Final = "the satellite network refuses"
_REFUSALS: Final[Mapping[int, str]] = {
    4: "the satellite network does not know this device, or it is not ours",
    5: f"{_REFUSES} the length of the message",
    7: f"{_REFUSES} the sender: it must be a mail address or a phone number",
    8: f"{_REFUSES} the altitude",
    9: f"{_REFUSES} the speed",
    10: f"{_REFUSES} the course",
    11: f"{_REFUSES} the position",
    12: f"{_REFUSES} the tracking interval",
    13: f"{_REFUSES} the kind of place",
    14: f"{_REFUSES} the label of the place",
    15: "the satellite network handles the emergencies of this account itself",
    16: f"{_REFUSES} the kind of binary message",
    17: f"{_REFUSES} the binary message: it is too long, or not base64",
}
_PASSING: Final[Mapping[int, str]] = {
    INTERNAL: "the satellite network reports an error of its own",
    THROTTLED: "the satellite network asks us to slow down",
    BAD_KEY: "the satellite network does not accept our key",
    6: "the satellite network refuses the time of the message; is our clock right?",
}
ERROR_CODES: Final = frozenset({*_REFUSALS, *_PASSING})
"""Every error code of the guide. It says that new ones may come."""


def refusal(code: int) -> GatewayError:
    """Return what an error code of a refused request means for a message. A code of tomorrow refuses for good."""
    if code in _PASSING:
        return Unavailable(_PASSING[code])
    return Rejected(_REFUSALS.get(code, f"the satellite network refuses it (code {code})"))
