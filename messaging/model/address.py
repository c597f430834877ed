"""Addresses of senders and recipients, and the ids of messages. Frozen values; imports nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256


class Network(StrEnum):
    """The three networks that the gateway connects."""

    EMAIL = "email"
    SATELLITE = "satellite"
    SMS = "sms"


@dataclass(frozen=True, slots=True)
class Address:
    """A network and a value on it: a mailbox (`boop@example.org`), a device serial, or an E.164 number."""

    network: Network
    value: str

    @classmethod
    def of_contact(cls, value: str) -> Address:
        """Return the address of a contact or an operator: a mailbox where it has an @, else a number."""
        return cls(Network.EMAIL if "@" in value else Network.SMS, value)

    def __str__(self) -> str:
        return self.value


def message_id(*parts: str | bytes) -> str:
    """Return the id (32 hexadecimal digits) of the message that these parts identify.

    The same parts give the same id in every process, so the router recognises a message that is offered twice.
    """
    digest = sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:32]
