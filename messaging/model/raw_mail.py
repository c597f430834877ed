"""Mails that carry a network's messages, and who takes and sends them: what joins the mail part to such networks."""

from dataclasses import dataclass
from typing import Protocol

from messaging.model.message import Emit


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMail:
    """A whole mail with its envelope. `client` is the address of who brought it, empty for one that leaves."""

    sender: str
    recipient: str
    content: bytes
    client: str = ""


class MailboxHandler(Protocol):
    """A mailbox of our domain that is no subscriber's: what comes there is for a network."""

    @property
    def local_part(self) -> str:
        """What stands before the @, in small letters."""

    def admits(self, client: str) -> bool:
        """Whether a client at this address may bring its mails; to all others there is no such mailbox."""

    async def take(self, mail: RawMail, emit: Emit) -> None:
        """Return when everything in the mail is on disk.

        Raises Rejected, then nothing was stored; or Unavailable, or a bug: then it has to be offered again.
        """


class MailSubmitter(Protocol):
    """Where a network's mails leave. Blocking; can be pickled."""

    def submit(self, mail: RawMail, seconds: float) -> str:
        """Hand one mail to the relay and return what that said. Raises Rejected, Unavailable or Uncertain."""

    def check(self) -> None:
        """Return when the relay takes us. Raises Unavailable or ConfigurationError."""
