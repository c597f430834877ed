"""Iridium SBD by e-mail: the settings of an account, and its wiring.

Iridium SBD developer guide 3.0. `docs/networks/sbdmail.md` lists the known facts and the open questions.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from messaging.errors import Rejected
from messaging.model.message import Receipt
from messaging.model.raw_mail import RawMail
from messaging.satellite.account import (
    Codec,
    Count,
    MailedAccount,
    Packet,
    Seconds,
    SerialSyntax,
)
from messaging.satellite.codecs.protobuf import Undecodable, mailbox
from messaging.satellite.providers.sbdmail.client import SbdMail
from messaging.satellite.providers.sbdmail.wire import packets_of, receipts_of, service_mail
from messaging.satellite.unreadable import unreadable


def mail_address(text: str) -> str:
    """Return a mail address with its domain in lower case. Raises ValueError."""
    try:
        return mailbox(text)
    except Undecodable:
        raise ValueError("must be a mail address") from None


AddressText = Annotated[str, AfterValidator(mail_address)]


class SbdMailAccount(MailedAccount, prefix="SATBRIDGE_SBDMAIL_"):
    """A provisioning of modems by e-mail: the service writes from `author` to `mailbox`, and reads mails to `service`.

    `credit_bytes` is the number of bytes in a billed unit of your contract; without it, nothing is counted.
    """

    serials = SerialSyntax.IMEI
    new_codec = Codec.TEXT

    service: AddressText = "data@sbd.iridium.com"
    author: AddressText = "sbdservice@sbd.iridium.com"
    max_packet_bytes: Count = 270
    max_position_error_km: Annotated[float, Field(ge=0)] = 10
    credit_bytes: Count | None = None
    timeout_seconds: Seconds = 45
    max_sends: Count = 8

    def connect(self) -> SbdMail:
        """Return the client of this account, without I/O."""
        return SbdMail(self)

    def parse(self, mail: RawMail) -> Sequence[Packet | Receipt]:
        """Return the content of a mail of the service: a session of a device, or receipts of our messages."""
        content = service_mail(mail.content)
        if content.author != self.author.lower():
            raise Rejected("this mailbox is for the satellite network only")
        if content.disposition is not None:
            return receipts_of(content, self.name, mail.content)
        if not content.uplink_imei:
            return [unreadable("", mail.content)]
        return packets_of(content, mail.content, self.max_position_error_km)
