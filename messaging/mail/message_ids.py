"""Makes the Message-IDs of outgoing mails, and finds them in reports and answers. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from messaging.model.address_syntax import ascii_domain
from messaging.model.message import Delivery

MESSAGE_ID: Final = re.compile(r"<[!-;=?-~]{1,500}>")
"""A Message-ID that is safe in a header field."""
_OURS: Final = re.compile(r"<([0-9a-f]{32})\.([0-9]{1,18})@([^\s<>@]{1,255})>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reference:
    """The delivery that a Message-ID of this gateway names."""

    message_id: str
    delivery_id: int


def message_id_header(delivery: Delivery, mail_domain: str) -> str:
    """Return the Message-ID of a delivery: the same at every attempt."""
    return f"<{delivery.message.id}.{delivery.id}@{ascii_domain(mail_domain)}>"


def find_reference(text: str, mail_domain: str) -> Reference | None:
    """Return the first delivery of this gateway that `text` names, None when it names none."""
    domain = ascii_domain(mail_domain)
    for match in _OURS.finditer(text):
        if ascii_domain(match[3]) == domain:
            return Reference(match[1].lower(), int(match[2]))
    return None
