"""Mails that carry the messages of a satellite network, and the interfaces between mail and such networks."""

from dataclasses import dataclass
from typing import Protocol

from messaging.model.message import Emit


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMail:
    """A whole mail with its envelope. `client` is the IP address of the SMTP client, empty for a mail that leaves."""

    sender: str
    recipient: str
    content: bytes
    client: str = ""


class MailboxHandler(Protocol):
    """A mailbox of our domain that belongs to a network instead of a subscriber."""

    @property
    def local_part(self) -> str:
        """The part before the @, in lower case."""

    def admits(self, client: str) -> bool:
        """Return whether a client at this IP address may send mail here; to all others the mailbox does not exist."""

    async def take(self, mail: RawMail, emit: Emit) -> None:
        """Process the mail; return when everything in it is on disk.

        Raises Rejected when nothing was stored. After any other exception the mail has to be offered again.
        """


class MailSubmitter(Protocol):
    """Sends the mails of a network. Blocking; can be pickled."""

    def submit(self, mail: RawMail, seconds: float) -> str:
        """Send one mail to the relay; return its reply. Raises Rejected, Unavailable or Uncertain."""

    def check(self) -> None:
        """Check that the relay accepts the login. Raises Unavailable or ConfigurationError."""
