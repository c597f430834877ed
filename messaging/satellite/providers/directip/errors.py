"""Statuses with which Iridium's gateway answers a message to a device. Pure.

Iridium SBD developer guide 3.0, "MT DirectIP".
"""

from collections.abc import Mapping
from typing import Final

from messaging.errors import GatewayError, Rejected, Unavailable

UNREADABLE: Final = "the satellite network's answer cannot be read"

_NEVER: Final[Mapping[int, str]] = {
    -1: "the device's serial is not an IMEI that the satellite network can read",
    -2: "the satellite network does not know this device",
    -3: "the packet is too long for the satellite network",
    -4: "the packet is empty",
    -7: "the satellite network cannot read the packet",
    -8: "the device takes no ring alerts",
    -11: "the satellite network refuses the number of the packet",
}
_LATER: Final[Mapping[int, str]] = {
    -5: "too many messages wait for the device at the satellite network",
    -6: "the satellite network has no room for the packet now",
    -9: "the device is not attached to the satellite network",
    -10: "the satellite network refuses our address",
    -12: "the satellite network refuses our certificate",
}
_REFUSES_US: Final = frozenset({-10, -12})
_OVERLOADED: Final = -6
_WAITS_FOR_OTHERS: Final = _REFUSES_US | {-5, -9}
"""Statuses that last until the device or a person acts."""


def status_failure(status: int, hold_seconds: float) -> GatewayError | None:
    """Return the error of a status; None when the message is queued (its place in the queue, or 0).

    Statuses that last until the device or a person acts (a full queue, a refused address) ask for a wait of
    `hold_seconds`.
    """
    if status >= 0:
        return None
    if status in _NEVER:
        return Rejected(_NEVER[status])
    # An unknown status means that nothing was queued now; the next attempt may succeed.
    words = _LATER.get(status, "the satellite network did not take the packet")
    return Unavailable(words, hold_seconds if status in _WAITS_FOR_OTHERS else None)


def probe_failure(status: int) -> GatewayError | None:
    """Return the error of a probe's status (no payload, no device); None when the gateway works."""
    if status in _REFUSES_US or status == _OVERLOADED:
        return Unavailable(_LATER[status])
    return None
