"""The replies to SMTP clients and the one table from errors to replies (RFC 5321 section 4.2, RFC 3463)."""

from collections.abc import Sequence
from typing import Final

from messaging.errors import Busy, Rejected
from messaging.mail.text import one_line

OK: Final = "250 2.0.0 ok"
SENDER_OK: Final = "250 2.1.0 sender ok"
RECIPIENT_OK: Final = "250 2.1.5 recipient ok"
ACCEPTED: Final = "250 2.0.0 accepted"
LEAVING: Final = "250 2.0.0 ok, but shutting down soon"
LATER: Final = "451 4.3.0 temporary failure, please try again later"
BUSY: Final = "452 4.3.1 too busy to take this now, please try again later"
TOO_MANY_RECIPIENTS: Final = "452 4.5.3 too many recipients, send the rest in another mail"
NOT_UNDERSTOOD: Final = "500 5.5.2 command not understood"
NO_HOSTNAME: Final = "501 5.5.4 the host name is missing"
NOT_OFFERED: Final = "502 5.5.1 not offered"
TOO_MANY_COMMANDS: Final = "502 5.5.1 Too many unrecognized commands, goodbye."
TOO_BIG: Final = "552 5.3.4 the mail exceeds the size limit of this server"
SHUTTING_DOWN: Final = "421 4.3.2 shutting down, please try again later"
NOT_A_MAILBOX_NAME: Final = "550 5.1.1 no such mailbox here"
RELAYING_DENIED: Final = "550 5.7.1 relaying denied: this is not the mail server of that domain"
UNKNOWN_RECIPIENT_CODE: Final = "550 5.1.1"
BOUNCES_ONLY: Final = "550 5.7.1 this address takes reports about one mail only"
BAD_CONTENT_CODE: Final = "550 5.6.0"
ALL_REFUSE_CODE: Final = "550 5.7.1"
TOO_MANY_HOPS: Final = "554 5.4.6 mail loop: the mail has passed too many servers"
OUR_OWN: Final = "554 5.4.6 mail loop: the mail was sent by this server"
TOO_SLOW: Final = "421 4.4.2 timeout, closing the connection"
TOO_MANY_ERRORS: Final = "421 4.7.0 too many errors, closing the connection"
TOO_MANY_UNKNOWN: Final = "421 4.7.0 too many unknown recipients, please try again later"
NOT_A_PEER: Final = "554 5.7.1 this server takes no mail from your address"
TOO_MANY_CONNECTIONS: Final = "421 4.7.0 too many connections, please try again later"
MAX_REASON_CHARS: Final = 200


def refusal(error: BaseException, rejected: str) -> str:
    """Return the reply to one error; `rejected` is the code of a `Rejected`, whose reason the reply quotes.

    Every error that is not known to be permanent gets a temporary reply without details.
    """
    match error:
        case Rejected():
            reason = one_line(error.reason, MAX_REASON_CHARS)
            return f"{rejected} {reason.encode('ascii', 'replace').decode()}"
        case Busy():
            return BUSY
    return LATER


def joint_refusal(errors: Sequence[BaseException | None]) -> str:
    """Return the one reply to a mail for several recipients, with None for each that accepted but not for all."""
    failures = [error for error in errors if error is not None]
    # SMTP has one reply for all recipients. It is temporary unless all refuse permanently: the same ids make the
    # repeat safe for recipients that accepted, and RCPT then refuses the others.
    if len(failures) == len(errors) and all(isinstance(error, Rejected) for error in failures):
        return refusal(failures[0], ALL_REFUSE_CODE)
    if all(isinstance(error, Busy) for error in failures):
        return BUSY
    return LATER
