"""Messages to devices by mails to Iridium's SBD service."""

import asyncio
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from messaging.errors import Rejected
from messaging.satellite.account import SubmittedPart
from messaging.satellite.providers.directip.frames import is_imei
from messaging.satellite.providers.iridium import credits_for
from messaging.satellite.providers.sbdmail.wire import mail_to

if TYPE_CHECKING:
    from messaging.satellite.providers.sbdmail.account import SbdMailAccount

NAME_BYTES: Final = 8


class SbdMail:
    """Mails packets to the service. The service answers each with a mail of its own."""

    def __init__(self, account: "SbdMailAccount") -> None:
        self._account = account

    async def send(self, serial: str, packet: bytes) -> SubmittedPart:
        """Mail one packet to the device with this IMEI, once.

        Returns the name of the mail, and the billed units if they are known. Raises Rejected, Unavailable, or
        Uncertain.
        """
        account = self._account
        if len(packet) > account.max_packet_bytes:
            raise Rejected(f"{len(packet)} bytes are too long for one packet of this network")
        if not is_imei(serial):
            raise Rejected("the device's serial is not an IMEI, which this network needs")
        name = secrets.token_hex(NAME_BYTES)
        now = datetime.now(UTC)
        mail = mail_to(account.service, account.address, serial, packet, name, now)
        await asyncio.to_thread(account.require_submitter().submit, mail, account.timeout_seconds)
        units = credits_for(len(packet), account.credit_bytes) if account.credit_bytes else None
        return SubmittedPart(name, units)

    async def check(self) -> None:
        """Return when the relay accepts our login; sends nothing. Raises Unavailable or ConfigurationError."""
        await asyncio.to_thread(self._account.require_submitter().check)

    async def aclose(self) -> None:
        """Do nothing: each mail has a connection of its own."""
