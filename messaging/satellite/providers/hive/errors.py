"""Meanings of the Hive's refusals: HTTP statuses, and status texts that start with ERROR."""

from collections.abc import Mapping
from typing import Final

from messaging.errors import GatewayError, Rejected, Unavailable

REFUSALS: Final[Mapping[int, str]] = {
    403: "the satellite network gives us no access to this device",
    404: "the satellite network does not know this device",
    413: "the packet is too long for the satellite network",
}
"""HTTP status of a refused downlink → reason."""

PACKET_REFUSALS: Final[Mapping[int, str]] = {404: "the satellite network does not know this packet"}
"""HTTP status of a refused acknowledgement → reason."""

_DISABLED: Final = "the device is not enabled for messages to it"
# Words in a status text → reason of a rejection. Any other text may be temporary.
_STATUS_TEXTS: Final[Mapping[str, str]] = {
    "TOO LONG": REFUSALS[413],
    "TOO LARGE": REFUSALS[413],
    "INVALID DATA": "the satellite network calls the packet invalid",
    "UNKNOWN DEVICE": REFUSALS[404],
    "DEVICE NOT FOUND": REFUSALS[404],
    "DEVICE DISABLED": _DISABLED,
    "NOT ENABLED": _DISABLED,
    "NO ACCESS": REFUSALS[403],
}


def status_failure(status: str) -> GatewayError:
    """Return the error that a status text (in capitals) means for a downlink."""
    reason = next((reason for words, reason in _STATUS_TEXTS.items() if words in status), None)
    return Rejected(reason) if reason else Unavailable("the satellite network reports an error")
