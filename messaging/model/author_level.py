"""How sure it is who wrote a message."""

from enum import StrEnum


class AuthorLevel(StrEnum):
    """How well the author of a message is proved. `alias`: it came to a valid reply alias."""

    PROVED = "proved"
    LIKELY = "likely"
    ALIAS = "alias"
    UNPROVED = "unproved"
    FORGED = "forged"

    @property
    def names_author(self) -> bool:
        """Whether the message counts as written by its author."""
        return self in (AuthorLevel.PROVED, AuthorLevel.LIKELY, AuthorLevel.ALIAS)
