"""What the status codes of RFC 3463 say, in plain words. Pure."""

import re
from typing import Final

_CODE: Final = re.compile(r"[245]\.(\d{1,3})\.(\d{1,3})")

# The detail first, then its whole class.
_MEANINGS: Final = {
    (1, 1): "there is no such mailbox",
    (1, 2): "there is no such mail domain",
    (1, 3): "the address makes no sense",
    (1, 6): "the mailbox has moved",
    (1, 10): "the domain takes no mail",
    (2, 1): "the mailbox takes no mail now",
    (2, 2): "the mailbox is full",
    (2, 3): "the mail is too big for the mailbox",
    (3, 4): "the mail is too big",
    (4, 1): "the mail server does not answer",
    (4, 4): "the mail cannot be routed",
    (4, 6): "the mail went round in circles",
    (4, 7): "it could not be delivered in time",
    (1,): "something is wrong with the address",
    (2,): "something is wrong with the mailbox",
    (3,): "the mail system of the recipient cannot take it",
    (4,): "the network or the mail's route failed",
    (5,): "the mail servers did not understand each other",
    (6,): "the content cannot be delivered",
    (7,): "the mail server does not allow it",
}


def in_words(status: str) -> str:
    """Return what a status such as `5.1.1` means; unknown ones only say that it failed."""
    match = _CODE.search(status)
    subject, detail = (int(match[1]), int(match[2])) if match else (0, 0)
    return _MEANINGS.get((subject, detail)) or _MEANINGS.get((subject,)) or "no reason was given"
