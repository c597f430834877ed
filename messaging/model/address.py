"""Addresses of senders and recipients. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from messaging.model.transfer import transferable


class Network(StrEnum):
    """The three networks that the gateway connects."""

    EMAIL = "email"
    SATELLITE = "satellite"
    SMS = "sms"


@transferable
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
