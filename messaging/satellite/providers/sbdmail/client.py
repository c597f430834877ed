"""Iridium SBD by e-mail: settings, messages to devices as mails, and what the mails from the service say.

Iridium SBD developer guide 3.0. `docs/networks/sbdmail.md` says what is known of it and what is not.
"""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from messaging.errors import Rejected
from messaging.model.message import Receipt, ReceiptState, message_id
from messaging.model.raw_mail import RawMail
from messaging.satellite.account import (
    Count,
    MailedAccount,
    Packet,
    Position,
    Seconds,
    SubmittedPart,
)
from messaging.satellite.codecs.protobuf import Undecodable, mailbox
from messaging.satellite.providers.directip.frames import is_imei
from messaging.satellite.providers.iridium import credits_for, estimated, unreadable
from messaging.satellite.providers.sbdmail.mails import Letter, letter_of, mail_to

NAME_BYTES: Final = 8
NOT_QUEUED: Final = "the satellite network did not queue it"


def _address(text: str) -> str:
    try:
        return mailbox(text)
    except Undecodable:
        raise ValueError("must be a mail address") from None


AddressText = Annotated[str, AfterValidator(_address)]


class SbdMailAccount(MailedAccount, prefix="SATBRIDGE_SBDMAIL_"):
    """A provisioning of modems by e-mail: the service writes to `mailbox` from `author`, and takes mails at `service`.

    `credit_bytes` is for how many bytes your contract charges one unit; without it, nothing is counted.
    """

    service: AddressText = "data@sbd.iridium.com"
    author: AddressText = "sbdservice@sbd.iridium.com"
    max_packet_bytes: Count = 270
    max_position_error_km: Annotated[float, Field(ge=0)] = 10
    credit_bytes: Count | None = None
    timeout_seconds: Seconds = 45
    max_sends: Count = 8

    def connect(self) -> "SbdMail":
        """Return the network of this account, without I/O."""
        return SbdMail(self)

    def parse(self, mail: RawMail) -> Sequence[Packet | Receipt]:
        """Return what a mail of the service brings: a session of a device, or news of a message to one."""
        letter = letter_of(mail.content)
        if letter.author != self.author.lower():
            raise Rejected("this mailbox is for the satellite network only")
        if letter.disposition is not None:
            return _news(self.name, letter, mail.content)
        if not letter.uplink_imei:
            return [unreadable("", mail.content)]
        return _packets(letter, mail.content, self.max_position_error_km)


class SbdMail:
    """The service, by mails to it. What it made of one comes as a mail of its own."""

    def __init__(self, account: SbdMailAccount) -> None:
        self._account = account

    async def send(self, serial: str, packet: bytes) -> SubmittedPart:
        """Mail one packet to the device with this IMEI; never repeats by itself.

        Returns what the mail is called, and the units that it costs if they are known. Raises Rejected, Unavailable,
        or Uncertain.
        """
        account = self._account
        if len(packet) > account.max_packet_bytes:
            raise Rejected(f"{len(packet)} bytes are too long for one packet of this network")
        if not is_imei(serial):
            raise Rejected("the device's serial is not an IMEI, which this network needs")
        name = secrets.token_hex(NAME_BYTES)
        now = datetime.now(UTC)
        mail = mail_to(account.service, account.address, serial, packet, name, now)
        await asyncio.to_thread(account.require_post().submit, mail, account.timeout_seconds)
        units = credits_for(len(packet), account.credit_bytes) if account.credit_bytes else None
        return SubmittedPart(name, units)

    async def check(self) -> None:
        """Return when the relay takes us; nothing is sent. Raises Unavailable or ConfigurationError."""
        await asyncio.to_thread(self._account.require_post().check)

    async def aclose(self) -> None:
        """There is nothing to let go of: each mail has a connection of its own."""


def _news(via: str, letter: Letter, content: bytes) -> list[Packet | Receipt]:
    """Return what became of our messages. One that was not queued and cannot be told is kept for people."""
    imei, queued = letter.disposition or ("", True)
    if not letter.names and not queued:
        return [unreadable(imei, content)]
    state = ReceiptState.ON_ITS_WAY if queued else ReceiptState.FAILED
    words = f"{NOT_QUEUED}: {letter.reason}" if letter.reason else NOT_QUEUED
    reason = "" if queued else words
    return [Receipt(via=via, network_id=name, state=state, reason=reason) for name in letter.names]


def _packets(letter: Letter, content: bytes, max_error_km: float) -> list[Packet | Receipt]:
    """Return a session's messages, named by device, number and time. Without a file it is about the device only."""
    imei, at = letter.uplink_imei, letter.at
    name = f"{imei} {letter.momsn} {at.isoformat()}" if letter.momsn and at else ""
    name = name or f"{imei} {letter.message_id or message_id('sbdmail', content)}"
    if not letter.payloads and letter.size:
        return [unreadable(imei, content)]
    payloads = [payload or None for payload in letter.payloads] or [None]
    return [
        Packet(
            id=f"{name} {number}" if number else name,
            serial=imei,
            payload=payload,
            raw=payload or content,
            texts=() if payload is None else None,
            sent_at=at,
            position=_position(letter, max_error_km) if number == 0 else None,
        )
        for number, payload in enumerate(payloads)
    ]


def _position(letter: Letter, max_error_km: float) -> Position | None:
    north, east, error_km = letter.location
    return estimated(north, east, error_km, max_error_km, letter.at)
