"""How sure it is who wrote a message."""

from dataclasses import dataclass
from enum import StrEnum


class AuthorLevel(StrEnum):
    """How sure it is that the address of the author wrote a message, best first."""

    PROVED = "proved"
    """A signature of the author's domain covers the whole body, From and Subject."""
    LIKELY = "likely"
    """The author's domain names the client (SPF), or a relay or sealer that the operator trusts vouches for it."""
    ALIAS = "alias"
    """The message came to a valid reply alias: it is from the holder of that conversation."""
    UNPROVED = "unproved"
    """Nothing of this, or the check could not be made."""
    FORGED = "forged"
    """The author's domain asks to reject such a mail."""

    @property
    def names_author(self) -> bool:
        """Whether the message counts as written by its author."""
        return self in (AuthorLevel.PROVED, AuthorLevel.LIKELY, AuthorLevel.ALIAS)


@dataclass(frozen=True, slots=True)
class Authorship:
    """How sure it is who wrote a message, and why in one line.

    `is_undecided`: a failure of DNS kept the level from being a better one. `spam_mark` is the mark that a trusted
    relay set, empty without one.
    """

    level: AuthorLevel
    reason: str = ""
    is_undecided: bool = False
    spam_mark: str = ""
