"""Decides whether a message is delivered, held or refused. Pure: reads the message and its admission context."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from messaging.model.authentication import AuthorLevel
from messaging.store.accept.refusals import AUTHOR_BLOCKED, AUTHOR_FORGED, CLOSED, Refusal
from messaging.store.admission.terms import Hold, MayWrite, SenderMode

ALL_SUBSCRIBERS: Final = 0
"""Stands for every subscriber in the keys of blocks."""

AuthorKey = tuple[int, str]
"""The id of a subscriber, and an address in lower case."""


@dataclass(frozen=True, slots=True)
class ContactRights:
    """The permissions of a contact, as far as messages of a batch need them, and its row."""

    may_write: MayWrite = MayWrite.ALWAYS
    write_until: datetime | None = None
    contact_id: int = 0
    must_be_proved: bool = False
    is_emergency: bool = False
    sees_positions: bool = True

    def may_write_at(self, now: datetime) -> bool:
        """Return whether the contact may write at this time. An emergency contact always may, unless blocked."""
        match self.may_write:
            case MayWrite.ALWAYS:
                return True
            case MayWrite.NEVER:
                return False
        return self.is_emergency or (self.write_until is not None and now < self.write_until)

    def accepts(self, level: AuthorLevel) -> bool:
        """Return whether the author is proved well enough for this contact."""
        return level is AuthorLevel.PROVED if self.must_be_proved else level.names_author


@dataclass(frozen=True, slots=True)
class AdmissionContext:
    """The contacts, correspondents, blocks, held and waiting messages that a batch refers to, looked up once.

    `contacts` has the permissions of every contact with the address. `correspondents` are the addresses that devices of
    the subscriber wrote to. `blocked` has addresses and `@domain`s. `held` counts the held deliveries of a subscriber
    by author, `waiting` the waiting ones by account.
    """

    contacts: Mapping[AuthorKey, Sequence[ContactRights]] = field(default_factory=dict)
    correspondents: Collection[AuthorKey] = ()
    blocked: Collection[AuthorKey] = ()
    held: Mapping[AuthorKey, int] = field(default_factory=dict)
    waiting: Mapping[tuple[int, str], int] = field(default_factory=dict)

    def rights_of(self, owner: int, addresses: Sequence[str]) -> list[ContactRights]:
        """Return the permissions of every contact of the subscriber with one of these addresses."""
        if not self.contacts:
            return []
        return [one for address in addresses for one in self.contacts.get((owner, address), ())]

    def has_correspondent(self, owner: int, addresses: Sequence[str]) -> bool:
        """Return whether a device of the subscriber wrote to one of these addresses."""
        return bool(self.correspondents) and any(
            (owner, one) in self.correspondents for one in addresses
        )

    def sees_positions(self, owner: int, address: str) -> bool:
        """Return whether messages to this address may end with a position: all but contacts without the permission."""
        rights = self.contacts.get((owner, address.lower()), ())
        return all(one.sees_positions for one in rights)


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """The author of a message: the addresses in lower case, and the level.

    `is_bulk`: a list or a program wrote it. `is_spam`: a trusted relay marked it as spam. `is_disputed`: the header
    names no author for sure, and the domain that it seems to be from asks to refuse mail without proof.
    """

    addresses: tuple[str, ...]
    level: AuthorLevel
    is_bulk: bool = False
    is_spam: bool = False
    is_disputed: bool = False


Admission = Hold | Refusal | None
"""The reason why a message is held or refused; None for one that is delivered."""


def admit(
    author: Author, owner: int, mode: SenderMode, known: AdmissionContext, now: datetime
) -> Admission:
    """Return why a message of this author to this subscriber is held or refused; None when it is delivered.

    A block comes before every permission, in every mode. Of several contacts with one address, one that may never
    write blocks it, and otherwise one that may write is enough.
    """
    if author.level is AuthorLevel.FORGED:
        return AUTHOR_FORGED
    if mode is SenderMode.CLOSED:
        return CLOSED
    rights = known.rights_of(owner, author.addresses)
    if _is_blocked(author, owner, known) or any(one.may_write is MayWrite.NEVER for one in rights):
        return AUTHOR_BLOCKED
    if author.is_spam:
        return Hold.SPAM
    if author.level is AuthorLevel.ALIAS:
        return None
    if mode is SenderMode.OPEN:
        return Hold.UNPROVED if author.is_disputed else None
    contacts = [one for one in rights if one.may_write_at(now)]
    if any(one.accepts(author.level) for one in contacts):
        return None
    is_correspondent = known.has_correspondent(owner, author.addresses)
    # Proof that a contact needs is not replaced by an answer of the device.
    if is_correspondent and not contacts and author.level.names_author and not author.is_bulk:
        return None
    if author.is_bulk and not contacts:
        return Hold.BULK
    return Hold.UNPROVED if contacts or is_correspondent else Hold.STRANGER


def block_candidates(addresses: Collection[str]) -> set[str]:
    """Return the entries of block lists that would match these addresses: a mailbox stands for its sub-addresses."""
    found = set(addresses)
    for address in addresses:
        local, at, domain = address.rpartition("@")
        found.add(f"{local.partition('+')[0] or local}{at}{domain}")
        labels = address.rpartition("@")[2].split(".") if "@" in address else []
        found |= {"@" + ".".join(labels[start:]) for start in range(len(labels))}
    return found


def _is_blocked(author: Author, owner: int, known: AdmissionContext) -> bool:
    candidates = block_candidates(author.addresses) if known.blocked else ()
    return any(
        (subscriber, one) in known.blocked
        for one in candidates
        for subscriber in (owner, ALL_SUBSCRIBERS)
    )
