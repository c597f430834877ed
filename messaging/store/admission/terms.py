"""The modes of subscribers, the permissions of contacts, and the reasons why a message is held."""

from enum import StrEnum
from typing import Final


class SenderMode(StrEnum):
    """From whom a subscriber takes messages: contacts and correspondents, all authors, or none."""

    KNOWN = "known"
    OPEN = "open"
    CLOSED = "closed"


class MayWrite(StrEnum):
    """When a contact may write to the devices of its subscriber."""

    ALWAYS = "always"
    UNTIL = "until"
    NEVER = "never"


class Hold(StrEnum):
    """Why a delivery is held."""

    STRANGER = "stranger"
    UNPROVED = "unproved"
    BULK = "bulk"
    SPAM = "spam"
    BURST = "burst"
    BUDGET = "budget"
    PARTS = "parts"


HOLD_REASONS: Final = {
    Hold.STRANGER: "the author is no contact; it waits for a decision",
    Hold.UNPROVED: "the author is not proved well enough; it waits for a decision",
    Hold.SPAM: "a relay marked it as spam; it waits for a decision",
    Hold.BULK: "from a list or a program; it waits for a decision",
    Hold.BUDGET: "a budget is used up",
    Hold.PARTS: "the rest of a text that is longer than the device gets at once; its author decides",
}
TOO_MANY_HELD: Final = "too many messages wait for a decision of this subscriber; try again later"
