"""Error codes of RockBLOCK's web service, and the line with which it answers a message to a device. Pure.

Ground Control's page "Sending MT messages", section "Error codes".
"""

from collections.abc import Mapping
from typing import Final

from messaging.errors import AccountBlocked, Rejected, Unavailable, Uncertain

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


def read_message_id(
    answer: str, hold_seconds: float, actions: Mapping[str, str] | None = None
) -> str:
    """Return the id of the queued message in `OK,<id>`.

    Raises Rejected or Unavailable for `FAILED,<code>,<text>`, and Uncertain for any other text. `actions` has the
    errors that last until an operator acts (a wrong password, no credit): they ask for a wait of `hold_seconds`.
    """
    status, code, *_ = [*(part.strip() for part in answer.split(",", 2)), "", ""]
    if status not in ("OK", "FAILED") or not (code.isascii() and code.isdecimal()):
        raise Uncertain("the satellite network's answer cannot be read")
    if status == "OK":
        return code
    if code in _NEVER:
        raise Rejected(_NEVER[code])
    # An unknown code means that nothing was queued now; the next attempt may succeed.
    words = _LATER.get(code, "the satellite network did not take the packet")
    if actions and code in actions:
        raise AccountBlocked(words, actions[code], hold_seconds)
    raise Unavailable(words)


def error_code(answer: str) -> str:
    """Return the code of `FAILED,<code>,…`, empty for any other answer."""
    status, _, rest = answer.partition(",")
    return rest.partition(",")[0].strip() if status.strip() == "FAILED" else ""
