"""The mailbox of a provider that sends mails: parses them, and offers their content to the router."""

from dataclasses import dataclass

from messaging.config.ip_allowlist import is_peer
from messaging.errors import Rejected
from messaging.model.message import Emit, Receipt
from messaging.model.raw_mail import RawMail
from messaging.model.webhook import take_each
from messaging.satellite.account import MailedAccount, Packet
from messaging.satellite.uplink import offer_packet

TOO_LONG = "the mail is longer than those of this network"


@dataclass(frozen=True, slots=True)
class SatelliteMailbox:
    """The mailbox of one account."""

    account: MailedAccount
    via: str

    @property
    def local_part(self) -> str:
        """The part before the @."""
        return self.account.mailbox

    def admits(self, client: str) -> bool:
        """Whether the client is one of the account's peers."""
        return is_peer(client, self.account.peers)

    async def take(self, mail: RawMail, emit: Emit) -> None:
        """Return when the whole mail is on disk, as messages or dead letters.

        Raises Rejected unless the provider is the author, or the first failure that is not final.
        """

        async def take(content: Packet | Receipt) -> None:
            if isinstance(content, Receipt):
                await emit(content)
            else:
                await offer_packet(content, self.via, emit, self.account.max_texts_per_packet)

        if len(mail.content) > self.account.max_mail_bytes:
            raise Rejected(TOO_LONG)
        await take_each(self.account.parse(mail), take)
