"""The words by which a phone opts out, opts in or asks for help.

The default keywords of North American carriers, as in Twilio's opt-out documentation; they count only when they are
the whole message, in any case.
"""

from enum import Enum


class Keyword(Enum):
    """The wish of the sender of a keyword."""

    STOP = "stop"
    START = "start"
    HELP = "help"


_STOP = frozenset(("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT"))
_START = frozenset(("START", "YES", "UNSTOP"))
_HELP = frozenset(("HELP", "INFO"))


def keyword(text: str) -> Keyword | None:
    """Return the keyword that the whole of `text` is, or None when it is an ordinary text."""
    word = text.strip().upper()
    if word in _STOP:
        return Keyword.STOP
    if word in _START:
        return Keyword.START
    return Keyword.HELP if word in _HELP else None


def is_everyday_answer(text: str) -> bool:
    """Return whether this opt-in word also answers everyday questions, so that it must still be delivered."""
    return text.strip().upper() == "YES"
