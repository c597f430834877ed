"""The mails of Iridium's SBD service, for its simulator. Pure.

Iridium SBD developer guide 3.0, chapter on e-mail.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from typing import Final

DOMAIN: Final = "sbd.iridium.com"
SERVICE: Final = f"data@{DOMAIN}"
AUTHOR: Final = f"sbdservice@{DOMAIN}"
MAX_IMEIS: Final = 4
MAX_FILE_NAME_CHARACTERS: Final = 80
STATUSES: Final = {
    0: "TRANSFER OK",
    1: "MT MESSAGE TOO LARGE",
    2: "LOCATION UNACCEPTABLE QUALITY",
    10: "SBD TIMEOUT",
    12: "MO MESSAGE TOO LARGE",
    13: "INCOMPLETE TRANSFER",
    14: "SBD PROTOCOL ERROR",
    15: "SBD DENIAL",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SbdMailSession:
    """One session of a modem. `cep_km` is the error of the position; 0: no position. `subject` replaces the default."""

    imei: str
    momsn: int
    at: datetime
    payload: bytes = b""
    status: int = 0
    mtmsn: int = 0
    latitude: float = 0.0
    longitude: float = 0.0
    cep_km: int = 0
    subject: str = ""
    author: str = AUTHOR
    attaches: bool = True

    def mail(self, recipient: str) -> bytes:
        """Return the mail about the session."""
        mail = _mail(self.author, recipient, self.subject or f"SBD Msg From Unit: {self.imei}")
        mail.set_content(self._text())
        if self.payload and self.attaches:
            name = f"{self.imei}_{self.momsn:06}.sbd"
            mail.add_attachment(
                self.payload, maintype="application", subtype="x-zip-compressed", filename=name
            )
        return mail.as_bytes()

    def _text(self) -> str:
        lines = [
            f"MOMSN: {self.momsn}",
            f"MTMSN: {self.mtmsn}",
            f"Time of Session (UTC): {self.at:%a %b %d %H:%M:%S %Y}",
            f"Session Status: {self.status:02} - {STATUSES.get(self.status, 'UNKNOWN')}",
            f"Message Size (bytes): {len(self.payload)}",
        ]
        if self.cep_km:
            place = f"Lat = {self.latitude:.5f} Long = {self.longitude:.5f}"
            lines += ["", f"Unit Location: {place}", f"CEPradius = {self.cep_km}"]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class SbdMailRequest:
    """One payload for one modem, from a mail to the service. `name` is the name of its file."""

    imei: str
    name: str
    payload: bytes

    def disposition(self, recipient: str, mtmsn: int, place: int, reason: str) -> bytes:
        """Return the mail about the request: its place in the queue, or the reason why it is not queued."""
        word = "Not Queued" if reason else "Queued"
        subject = f"SBD Mobile Terminated Message {word} for Unit: {self.imei}"
        mail = _mail(AUTHOR, recipient, subject)
        was = "was not" if reason else "was"
        end = (
            f"Reason: {reason}"
            if reason
            else f"The MTMSN is {mtmsn}, and the message is number {place} in the queue."
        )
        mail.set_content(
            f"The following mobile-terminated message {was} queued for delivery:\n\n"
            f"IMEI: {self.imei}\nAttachment Filename: {self.name}\n"
            f"Attachment Size: {len(self.payload)} bytes\n\n{end}\n"
        )
        return mail.as_bytes()


def requests_of(content: bytes) -> Iterator[SbdMailRequest]:
    """Yield each payload for each modem of a mail to the service; without a file, one with an empty name."""
    mail = message_from_bytes(content, policy=policy.default)
    files = [part for part in mail.iter_attachments() if _name(part).lower().endswith(".sbd")]
    for imei in str(mail["Subject"] or "").split()[:MAX_IMEIS]:
        if not files:
            yield SbdMailRequest(imei, "", b"")
        for part in files:
            payload = part.get_payload(decode=True)
            yield SbdMailRequest(imei, _name(part), payload if isinstance(payload, bytes) else b"")


def _name(part: EmailMessage) -> str:
    return part.get_filename() or ""


def _mail(author: str, recipient: str, subject: str) -> EmailMessage:
    mail = EmailMessage(SMTP)
    mail["From"], mail["To"], mail["Subject"] = author, recipient, subject
    mail["Message-ID"] = make_msgid(domain=DOMAIN)
    return mail
