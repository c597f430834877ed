"""Refusals of Iridium's SBD service. It gives reasons in words, which are passed on; there are no codes. Pure."""

from typing import Final

NOT_QUEUED: Final = "the satellite network did not queue it"


def not_queued_reason(reason: str) -> str:
    """Return the reason of a failed delivery, with the service's own reason if there is one."""
    return f"{NOT_QUEUED}: {reason}" if reason else NOT_QUEUED
