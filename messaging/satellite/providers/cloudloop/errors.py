"""Meanings of Cloudloop's refusals, and of the errors in its reports of delivery."""

from collections.abc import Mapping
from typing import Final

BAD_TOKEN: Final = "the satellite network does not accept our token"  # noqa: S105 (words)
NOT_DELIVERED: Final = "the satellite network could not deliver it"

REFUSALS: Final[Mapping[int, str]] = {
    403: "the satellite network gives us no access to this device",
    404: "the satellite network does not know this device",
    413: "the packet is too long for the satellite network",
}
"""HTTP status of a refused call → reason."""

TRACE_REFUSALS: Final[Mapping[int, str]] = {404: "the satellite network does not know this message"}
"""HTTP status of a refused look-up → reason."""

DELIVERY_ERRORS: Final[Mapping[str, str]] = {
    "DELIVERY_ERROR_UNKNOWN": NOT_DELIVERED,
    "DELIVERY_ERROR_INVALID_IDENTIFIER": REFUSALS[404],
    "DELIVERY_ERROR_INVALID_MESSAGE": "the satellite network calls the packet invalid",
}
"""Error of a report of delivery → reason."""
