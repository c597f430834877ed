"""Counts the billed units of a message before it is sent."""

from typing import Protocol

from messaging.model.message import Message


class UnitCounter(Protocol):
    """Counts the units of a message by one account: the same arithmetic as its sender's."""

    def count_units(self, message: Message, codec: str = "", alphabet: str = "") -> int:
        """Return the units, for a device with this codec and alphabet; 0 for a message that cannot be sent."""
