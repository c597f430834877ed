"""Decides from a refusal of the relay whether it is about a mail and its recipient, or about the gateway. Pure.

Enhanced status codes: RFC 3463 and the IANA registry; codes of log-in and TLS: RFC 4954 and RFC 3207.
"""

import re
from enum import Enum
from typing import Final

from messaging.errors import AccountBlocked, GatewayError, Rejected, Unavailable
from messaging.mail.text import one_line

MAX_ANSWER_CHARS: Final = 200
BLOCKED_RETRY_SECONDS: Final = 300.0
"""How long to wait where only the operator can help."""
ACTION: Final = "check SATBRIDGE_RELAY_URL, and that the relay takes mail from this gateway"

_LOG_IN_OR_TLS: Final = frozenset((530, 534, 535, 538))
_TOO_LARGE: Final = 552
_STATUS: Final = re.compile(r"^[245]\.(\d{1,3})\.(\d{1,3})\b")
# Policy (5.7) that is about one mailbox: a list, a disabled or changed mailbox or domain.
_ABOUT_RECIPIENT: Final = frozenset(("2", "13", "17", "18", "19"))
# Exchange: no relaying, no anonymous mail, not this sender, no connector for this sender.
_ABOUT_GATEWAY: Final = frozenset(("54", "57", "60", "64"))
_NO_RELAYING: Final = re.compile(
    r"relay(ing)? (access )?(is )?(denied|not (permitted|allowed)|prohibited)"
    r"|unable to relay|(not|n't) (permitted|allowed|authori[sz]ed|willing)? ?to relay"
    r"|do(es)? not (allow )?relay|rcpthosts"
    r"|authentication (is )?required|must (first )?(authenticate|log ?in|issue a starttls)"
    r"|not (been )?(authenticated|logged in)|(address|identit(y|ies)) (is|are) not verified",
    re.IGNORECASE,
)
_NOT_WELCOME: Final = re.compile(
    r"client host rejected|helo command rejected|sender address rejected|blocked using"
    r"|(black|block|deny) ?list",
    re.IGNORECASE,
)
_RECIPIENT_DENIED: Final = re.compile(r"recipient address rejected: access denied", re.IGNORECASE)


class RelayStep(Enum):
    """The point of an SMTP transaction at which the relay refuses."""

    CONNECTION = "connection"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    CONTENT = "content"


def answer_error(step: RelayStep, code: int, text: bytes) -> GatewayError:
    """Return the error for a refusal at this step.

    A refusal of the gateway (log-in, relaying, sender, network) is AccountBlocked, also where the relay calls it
    permanent. Any other 5xx is Rejected; everything else is Unavailable.
    """
    if code < 0:
        return Unavailable("the mail server answered something that is not SMTP")
    answer = one_line_answer(code, text)
    words = text.decode("utf-8", "replace")
    said = f"the mail server said: {answer}"
    if code in _LOG_IN_OR_TLS or (code >= 400 and _NO_RELAYING.search(words)):
        return blocked(said)
    if not 500 <= code <= 599:
        return Unavailable(said)
    found = _STATUS.match(words)
    subject, detail = found.groups() if found else ("", "")
    if subject == "7" and detail in _ABOUT_GATEWAY:
        return blocked(said)
    match step:
        case RelayStep.CONNECTION:
            return blocked(said)
        # No recipient has been named yet; only the size and the characters of the mail are its own.
        case RelayStep.MAIL if (
            code != _TOO_LARGE and (subject, detail) != ("3", "4") and subject != "6"
        ):
            return blocked(said)
        case RelayStep.RCPT | RelayStep.DATA if _NOT_WELCOME.search(words):
            return blocked(said)
        case RelayStep.RCPT | RelayStep.DATA if subject == "7" and detail not in _ABOUT_RECIPIENT:
            if not _RECIPIENT_DENIED.search(words):
                return blocked(said, is_doubtful=True)
    return Rejected(f"the mail server refused it: {answer}")


def blocked(reason: str, action: str = ACTION, *, is_doubtful: bool = False) -> AccountBlocked:
    """Return the error of a relay that takes no mail from the gateway until an operator acts."""
    return AccountBlocked(reason, action, BLOCKED_RETRY_SECONDS, is_doubtful=is_doubtful)


def one_line_answer(code: int, text: bytes | str) -> str:
    """Return an answer on one line without control characters."""
    words = text if isinstance(text, str) else text.decode("utf-8", "replace")
    return one_line(f"{code} {words}", MAX_ANSWER_CHARS)
