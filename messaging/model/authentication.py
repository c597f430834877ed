"""How sure it is who wrote a message, and the result of the authentication of a mail. Values only."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from messaging.model.transfer import transferable

MAX_DOMAIN_CHARS: Final = 253


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


@transferable
@dataclass(frozen=True, slots=True)
class Authorship:
    """How sure it is who wrote a message, and why in one line.

    `is_undecided`: a failure of DNS kept the level from being a better one. `spam_mark` is the mark that a trusted
    relay set, empty without one. `is_disputed`: see `Authentication`.
    """

    level: AuthorLevel
    reason: str = ""
    is_undecided: bool = False
    spam_mark: str = ""
    is_disputed: bool = False


@dataclass(frozen=True, slots=True)
class MechanismResult:
    """The result of one mechanism for one domain, with the words of RFC 8601, and its reason in one line.

    `policy` stands for a pass that does not count here. `mechanism` is spf, dkim, dmarc, arc or relay.
    """

    mechanism: str
    result: str
    domain: str
    reason: str

    def __str__(self) -> str:
        # Of a client's name or a signature: any characters, and up to 8 KiB.
        printable = (one if one.isprintable() else "?" for one in self.domain[:MAX_DOMAIN_CHARS])
        domain = f" ({''.join(printable)})" if self.domain else ""
        return f"{self.mechanism}={self.result}{domain}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """The author of a mail, and how sure that is.

    `author` is the only address in From, with its domain in ASCII; empty when there is no single one. `reason` is one
    line for people. `is_undecided`: a failure of DNS kept the level from being a better one, or from being `forged`.
    `from_relay`: a trusted relay handed the mail over, so a refusal would bounce to an address that may be forged.
    `spam_mark` is the mark that a trusted relay set, empty without one. `is_disputed`: the header names no author for
    sure, and the domain of the address that is shown asks to reject mail without proof.

    `signed_fields` are the names of the fields that the signature of a `proved` mail covers: an answer goes to
    Reply-To only if it is among them. `signed_identity` tells a `proved` mail from every other of its author: its
    signed Message-ID or Date, and the hash of its body; empty if neither field is signed. `named` are the mailboxes in
    To and Cc, of a `proved` mail in the signed ones.
    `is_sent_by_domain`: SPF names the client too, here or at a trusted relay, or a trusted sealer vouches for the mail.
    """

    level: AuthorLevel
    author: str
    reason: str
    results: tuple[MechanismResult, ...] = ()
    is_undecided: bool = False
    from_relay: bool = False
    spam_mark: str = ""
    is_disputed: bool = False
    signed_fields: frozenset[str] = frozenset()
    signed_identity: str = ""
    named: frozenset[str] = frozenset()
    is_sent_by_domain: bool = False

    def level_for(self, *mailboxes: str) -> AuthorLevel:
        """Return the level of the copy for a recipient with these mailboxes.

        A signature proves the author of a mail, not its recipient. A copy may be a replay if its signed To and Cc do
        not name the mailbox, or if nothing signed tells it from others, and the author's domain does not name the
        client.
        """
        if self.level not in (AuthorLevel.PROVED, AuthorLevel.LIKELY) or self.is_sent_by_domain:
            return self.level
        is_named = any(mailbox.lower() in self.named for mailbox in mailboxes)
        is_known = self.level is AuthorLevel.LIKELY or bool(self.signed_identity)
        return self.level if is_named and is_known else AuthorLevel.UNPROVED

    @property
    def line(self) -> str:
        """The reason in one line for the log, with the result of each mechanism unless the author is proved."""
        if self.level is AuthorLevel.PROVED or not self.results:
            return self.reason
        return f"{self.reason} ({'; '.join(map(str, self.results))})"
