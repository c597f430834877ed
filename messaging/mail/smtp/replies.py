"""The one table from what can go wrong to what an SMTP client is told (RFC 5321 section 4.2, RFC 3463)."""

from collections.abc import Sequence
from typing import Final

from messaging.errors import Busy, Rejected
from messaging.mail.text import one_line

OK: Final = "250 2.0.0 ok"
LEAVING: Final = "250 2.0.0 ok, but shutting down soon"
LATER: Final = "451 4.3.0 temporary failure, please try again later"
BUSY: Final = "452 4.3.1 too busy to take this now, please try again later"
TOO_BIG: Final = "552 5.3.4 the mail is bigger than this server takes"
SHUTTING_DOWN: Final = "421 4.3.2 shutting down, please try again later"
TOO_MANY_HOPS: Final = "554 5.4.6 too many hops: this mail goes round in circles"
OUR_OWN: Final = "554 5.4.6 this mail was sent from here: it goes round in circles"
TOO_SLOW: Final = "421 4.4.2 waited too long, goodbye"
TOO_MANY_ERRORS: Final = "421 4.7.0 too many errors, goodbye"
TOO_MANY_CONNECTIONS: Final = "421 4.7.0 too many connections, please try again later"
MAX_REASON_CHARS: Final = 200


def refusal(error: BaseException, rejected: str) -> str:
    """Return the reply to one error; `rejected` is the code of a `Rejected`, whose reason is told to the peer.

    What is not known to be permanent is temporary, and says nothing about itself.
    """
    match error:
        case Rejected():
            return f"{rejected} {_ascii(error.reason)}"
        case Busy():
            return BUSY
    return LATER


def joint_refusal(errors: Sequence[BaseException | None]) -> str | None:
    """Return the one reply to a mail for several recipients (an entry is None where it was taken), None for yes.

    A client cannot be told of each recipient, so it is told to come again unless all refuse for ever: ids make the
    repeat safe for those who have it, and RCPT then refuses the others.
    """
    failed = [error for error in errors if error is not None]
    if not failed:
        return None
    if len(failed) == len(errors) and all(isinstance(error, Rejected) for error in failed):
        return refusal(failed[0], "550 5.7.1")
    if all(isinstance(error, Busy) for error in failed):
        return BUSY
    return LATER


def _ascii(reason: str) -> str:
    return one_line(reason, MAX_REASON_CHARS).encode("ascii", "replace").decode()
