"""The mailbox of a network that writes mails: what comes there is read, and handed to the router."""

from dataclasses import dataclass

from messaging.errors import Rejected
from messaging.model.message import Emit, Receipt
from messaging.model.raw_mail import RawMail
from messaging.model.webhook import take_each
from messaging.satellite.account import MailedAccount, Packet
from messaging.satellite.ip_allowlist import is_peer
from messaging.satellite.uplink import offer_packet

TOO_LONG = "the mail is longer than those of this network"


@dataclass(frozen=True, slots=True)
class SatelliteMailbox:
    """The mailbox of one account."""

    account: MailedAccount
    via: str

    @property
    def local_part(self) -> str:
        """What stands before the @."""
        return self.account.mailbox

    def admits(self, client: str) -> bool:
        """Whether the client is one of the account's peers."""
        return is_peer(client, self.account.peers)

    async def take(self, mail: RawMail, emit: Emit) -> None:
        """Return when everything in the mail is on disk, as messages or as undeliverable.

        Raises Rejected for what is not the network's, and the first failure that is not final.
        """

        async def take(brought: Packet | Receipt) -> None:
            if isinstance(brought, Receipt):
                await emit(brought)
            else:
                await offer_packet(brought, self.via, emit)

        if len(mail.content) > self.account.max_mail_bytes:
            raise Rejected(TOO_LONG)
        await take_each(self.account.parse(mail), take)
