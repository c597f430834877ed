"""The mails of Iridium's SBD service: those that it writes, read; those that it is written, made. Pure, and bounded.

Iridium SBD developer guide 3.0, chapter on e-mail. Its words are matched loosely: others pass these mails on, and
change line ends, spaces and subjects.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Final

from messaging.model.raw_mail import RawMail

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
class Letter:
    """What a mail of the service says. `payloads` are its .sbd files, `message_id` its name, empty without one."""

    author: str
    subject: str
    text: str
    payloads: tuple[bytes, ...]
    message_id: str
    named: str

    @property
    def uplink_imei(self) -> str:
        """The device whose session it tells of; empty when it tells of none."""
        found = _UPLINK.search(self.subject)
        return found[1] if found else ""

    @property
    def disposition(self) -> tuple[str, bool] | None:
        """The device that a message of ours was for and whether it was queued; None when it is about none."""
        found = _DISPOSITION.search(self.subject)
        return (found[2], not found[1]) if found else None

    @property
    def names(self) -> tuple[str, ...]:
        """What our messages were called that it names, by their files or the Message-ID."""
        return tuple(dict.fromkeys(_NAME.findall(f"{self.text}\n{self.named}".lower())))

    @property
    def reason(self) -> str:
        """Why a message was not queued, in the service's words; empty when it gives none."""
        found = _REASON.search(self.text)
        words = "".join(c for c in found[1] if c.isprintable()) if found else ""
        return words.strip()[:MAX_REASON_CHARS]

    @property
    def momsn(self) -> str:
        """The number of the session's message; empty when it is not told."""
        found = _MOMSN.search(self.text)
        return found[1] if found else ""

    @property
    def size(self) -> int:
        """How many bytes the payload is said to have."""
        found = _SIZE.search(self.text)
        return int(found[1]) if found else 0

    @property
    def at(self) -> datetime | None:
        """When the session was."""
        found = _TIME.search(self.text)
        try:
            words = " ".join(found[1].split()) if found else ""
            return datetime.strptime(words, "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
        except ValueError:
            return None

    @property
    def location(self) -> tuple[str, str, str]:
        """North, east, and by how many kilometres they may be wrong; empty where it is not told."""
        place, error = _LOCATION.search(self.text), _ERROR.search(self.text)
        return (place[1], place[2], error[1]) if place and error else ("", "", "")


def letter_of(content: bytes) -> Letter:
    """Read a mail; what makes no sense in it is empty. Raises nothing on any input."""
    try:
        return _letter(message_from_bytes(content))
    except (
        Exception
    ):  # the standard library raises anything on broken mails, RecursionError included
        return Letter(author="", subject="", text="", payloads=(), message_id="", named="")


def _letter(mail: Message) -> Letter:
    parts = [part for part, _ in zip(mail.walk(), range(MAX_PARTS), strict=False)]
    leaves = [part for part in parts if not part.is_multipart()]
    texts = [part for part in leaves if not part.get_filename() and _is_text(part)]
    files = [part for part in leaves if str(part.get_filename()).lower().endswith(".sbd")]
    return Letter(
        author=parseaddr(_field(mail, "From"))[1].lower(),
        subject=_field(mail, "Subject"),
        text="\n".join(_body(part).decode("latin-1") for part in texts),
        payloads=tuple(_body(part) for part in files),
        message_id=_field(mail, "Message-ID"),
        named=_field(mail, "In-Reply-To") + _field(mail, "References"),
    )


def mail_to(
    service: str, sender: str, imei: str, packet: bytes, name: str, now: datetime
) -> RawMail:
    """Return the mail that carries one packet to a device; its file and its Message-ID have the `name`."""
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


def _field(mail: Message, name: str) -> str:
    return " ".join(str(mail.get(name, "")).split())


def _is_text(part: Message) -> bool:
    return part.get_content_type() == "text/plain"


def _body(part: Message) -> bytes:
    body = part.get_payload(decode=True)
    return body if isinstance(body, bytes) else b""
