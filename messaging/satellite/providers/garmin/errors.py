"""Error codes of Garmin's API for messages to devices. Guide "IPC Inbound" 3.1.1, which has the table. Pure."""

from collections.abc import Mapping
from typing import Final

from messaging.errors import GatewayError, Rejected, Unavailable

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
"""All error codes of the guide, which announces that codes may be added."""


def code_failure(code: int) -> GatewayError:
    """Return the error that the code of a refused request means for a message. Unknown codes reject."""
    if code in _PASSING:
        return Unavailable(_PASSING[code])
    return Rejected(_REFUSALS.get(code, f"the satellite network refuses it (code {code})"))
