"""Reads the line that RockBLOCK's web service answers a message to a device with. Pure.

Ground Control's page "Sending MT messages", section "Error codes".
"""

from collections.abc import Mapping
from typing import Final

from messaging.errors import GatewayError, Rejected, Unavailable, Uncertain

BAD_LOGIN: Final = "10"
NO_CREDIT: Final = "13"
NO_DATA: Final = "16"
LOGIN_WORDS: Final = "the satellite network refuses our user name or password"

_NEVER: Final[Mapping[str, str]] = {
    "11": "the satellite network does not know this device on our account",
    "12": "the device has no line rental at the satellite network",
    "14": "the satellite network cannot read the packet",
    "15": "the packet is too long for the satellite network",
    NO_DATA: "the packet is empty",
}
_LATER: Final[Mapping[str, str]] = {
    BAD_LOGIN: LOGIN_WORDS,
    NO_CREDIT: "our account at the satellite network is out of credit",
    "99": "the satellite network reports an error of its own",
}
_FOR_PEOPLE: Final = frozenset({BAD_LOGIN, NO_CREDIT})
"""What passes only when somebody does something about it."""


def queued_id(answer: str, hold_seconds: float) -> str:
    """Return the id of the queued message in `OK,<id>`.

    Raises Rejected or Unavailable for `FAILED,<code>,<text>`, Uncertain for what is no answer of this service. What
    waits for people (a wrong password, no credit) asks to wait `hold_seconds`.
    """
    status, code, *_ = [*(part.strip() for part in answer.split(",", 2)), "", ""]
    if status == "OK" and code.isascii() and code.isdecimal():
        return code
    if status == "FAILED" and code.isascii() and code.isdecimal():
        raise _failure(code, hold_seconds)
    raise Uncertain("the satellite network's answer cannot be read")


def failed_code(answer: str) -> str:
    """Return the code of `FAILED,<code>,…`, empty for any other answer."""
    status, _, rest = answer.partition(",")
    return rest.partition(",")[0].strip() if status.strip() == "FAILED" else ""


def _failure(code: str, hold_seconds: float) -> GatewayError:
    if code in _NEVER:
        return Rejected(_NEVER[code])
    # A code of tomorrow says that nothing was queued, and not that it never will be.
    words = _LATER.get(code, "the satellite network did not take the packet")
    return Unavailable(words, hold_seconds if code in _FOR_PEOPLE else None)
