"""The mails of Iridium's SBD service: read into packets and receipts, and written for devices. Pure, with bounds.

Iridium SBD developer guide 3.0, chapter on e-mail. Its wording is matched loosely, because relays change line ends,
spaces and subjects.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Final

from messaging.model.message import Receipt, ReceiptState, message_id
from messaging.model.raw_mail import RawMail
from messaging.satellite.account import Packet
from messaging.satellite.providers.iridium import estimate
from messaging.satellite.providers.sbdmail.errors import not_queued_reason
from messaging.satellite.unreadable import unreadable

MAX_PARTS: Final = 20
MAX_REASON_CHARS: Final = 120
_UPLINK: Final = re.compile(r"SBD Msg From Unit:\s*([0-9]{15})\b", re.IGNORECASE)
_DISPOSITION: Final = re.compile(
    r"SBD Mobile Terminated Message (Not )?Queued for Unit:\s*([0-9]{15})\b", re.IGNORECASE
)
_NAME: Final = re.compile(r"\b([0-9a-f]{16})(?:\.sbd\b|@)")
_REASON: Final = re.compile(r"reason\s*:\s*(\S[^\r\n]*)", re.IGNORECASE)
_MOMSN: Final = re.compile(r"\bMOMSN:\s*([0-9]{1,5})\b", re.IGNORECASE)
_TIME: Final = re.compile(
    r"Time of Session \(UTC\):\s*\w{3}\s+(\w{3}\s+[0-9]{1,2}\s+[0-9:]{8}\s+[0-9]{4})", re.IGNORECASE
)
_SIZE: Final = re.compile(r"Message Size \(bytes\):\s*([0-9]{1,6})\b", re.IGNORECASE)
_NUMBER: Final = r"([+-]?[0-9]{1,3}(?:\.[0-9]{1,12})?)"
_LOCATION: Final = re.compile(rf"Lat\s*=\s*{_NUMBER}\s+Long\s*=\s*{_NUMBER}", re.IGNORECASE)
_ERROR: Final = re.compile(r"CEP\s*radius\s*=\s*([0-9]{1,5})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceMail:
    """The content of a mail of the service. `payloads` are its .sbd files. `message_id` may be empty.

    `references` are the Message-IDs of the mails that it answers.
    """

    author: str
    subject: str
    text: str
    payloads: tuple[bytes, ...]
    message_id: str
    references: str

    @property
    def uplink_imei(self) -> str:
        """The device of the session that it reports; empty without a session."""
        found = _UPLINK.search(self.subject)
        return found[1] if found else ""

    @property
    def disposition(self) -> tuple[str, bool] | None:
        """The device of a message of ours, and whether the message was queued; None without a message."""
        found = _DISPOSITION.search(self.subject)
        return (found[2], not found[1]) if found else None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of our messages in it, from their files or Message-IDs."""
        return tuple(dict.fromkeys(_NAME.findall(f"{self.text}\n{self.references}".lower())))

    @property
    def reason(self) -> str:
        """The service's reason for not queueing a message; empty without one."""
        found = _REASON.search(self.text)
        words = "".join(c for c in found[1] if c.isprintable()) if found else ""
        return words.strip()[:MAX_REASON_CHARS]

    @property
    def momsn(self) -> str:
        """The number of the session's message; empty without one."""
        found = _MOMSN.search(self.text)
        return found[1] if found else ""

    @property
    def size(self) -> int:
        """The stated size of the payload, in bytes."""
        found = _SIZE.search(self.text)
        return int(found[1]) if found else 0

    @property
    def at(self) -> datetime | None:
        """The time of the session."""
        found = _TIME.search(self.text)
        try:
            words = " ".join(found[1].split()) if found else ""
            return datetime.strptime(words, "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
        except ValueError:
            return None

    @property
    def location(self) -> tuple[str, str, str]:
        """North, east, and their error in kilometres; empty texts without a position."""
        place, error = _LOCATION.search(self.text), _ERROR.search(self.text)
        return (place[1], place[2], error[1]) if place and error else ("", "", "")


def service_mail(content: bytes) -> ServiceMail:
    """Read a mail; unreadable parts of it are empty. Never raises."""
    try:
        return _service_mail(message_from_bytes(content))
    # The standard library raises any exception on broken mails, RecursionError included.
    except Exception:
        return ServiceMail(
            author="", subject="", text="", payloads=(), message_id="", references=""
        )


def receipts_of(mail: ServiceMail, via: str, content: bytes) -> list[Packet | Receipt]:
    """Return the receipts of our messages in a mail. A failure of an unknown message is kept for people."""
    imei, is_queued = mail.disposition or ("", True)
    if not mail.names and not is_queued:
        return [unreadable(imei, content)]
    state = ReceiptState.ON_ITS_WAY if is_queued else ReceiptState.FAILED
    reason = "" if is_queued else not_queued_reason(mail.reason)
    return [Receipt(via=via, network_id=name, state=state, reason=reason) for name in mail.names]


def packets_of(mail: ServiceMail, content: bytes, max_error_km: float) -> list[Packet | Receipt]:
    """Return the messages of a session. Without a file, the packet is about the device only.

    A packet's id consists of the device, the number and the time, so that a repetition has the same id.
    """
    imei, at = mail.uplink_imei, mail.at
    name = f"{imei} {mail.momsn} {at.isoformat()}" if mail.momsn and at else ""
    name = name or f"{imei} {mail.message_id or message_id('sbdmail', content)}"
    if not mail.payloads and mail.size:
        return [unreadable(imei, content)]
    payloads = [payload or None for payload in mail.payloads] or [None]
    return [
        Packet(
            id=f"{name} {number}" if number else name,
            serial=imei,
            payload=payload,
            raw=payload or content,
            texts=() if payload is None else None,
            sent_at=at,
            position=estimate(*mail.location, max_error_km, at) if number == 0 else None,
        )
        for number, payload in enumerate(payloads)
    ]


def mail_to(
    service: str, sender: str, imei: str, packet: bytes, name: str, now: datetime
) -> RawMail:
    """Return the mail that carries one packet to a device; its file and its Message-ID contain `name`."""
    mail = EmailMessage(SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, service, imei
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{name}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("A message to this device is attached.\n")
    mail.add_attachment(
        packet, maintype="application", subtype="octet-stream", filename=f"{name}.sbd"
    )
    return RawMail(sender=sender, recipient=service, content=mail.as_bytes())


def _service_mail(mail: Message) -> ServiceMail:
    parts = [part for part, _ in zip(mail.walk(), range(MAX_PARTS), strict=False)]
    leaves = [part for part in parts if not part.is_multipart()]
    texts = [
        part
        for part in leaves
        if not part.get_filename() and part.get_content_type() == "text/plain"
    ]
    files = [part for part in leaves if str(part.get_filename()).lower().endswith(".sbd")]
    return ServiceMail(
        author=parseaddr(_field(mail, "From"))[1].lower(),
        subject=_field(mail, "Subject"),
        text="\n".join(_body(part).decode("latin-1") for part in texts),
        payloads=tuple(_body(part) for part in files),
        message_id=_field(mail, "Message-ID"),
        references=_field(mail, "In-Reply-To") + _field(mail, "References"),
    )


def _field(mail: Message, name: str) -> str:
    return " ".join(str(mail.get(name, "")).split())


def _body(part: Message) -> bytes:
    body = part.get_payload(decode=True)
    return body if isinstance(body, bytes) else b""
