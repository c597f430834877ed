"""Finds the texts that are a call for help, typed on a device without a button for it. Pure."""

import re
from collections.abc import Sequence
from typing import Final

from messaging.model.message import DeviceReport, DeviceText, Message, Network, Sos, message_id

ANY_CASE: Final = frozenset(("SOS", "MAYDAY"))
"""The words that begin a call for help in small letters too; the others begin harmless texts as well."""
_CANCELS: Final = re.compile(
    r"cancel(l?ed)?\b|(ok|over|ended|false alarm|all well|no longer needed)\W*$", re.IGNORECASE
)
_SEED: Final = "typed sos"  # a part of stored ids, so it must never change


def read_emergency(text: str, words: Sequence[str]) -> Sos | None:
    """Return the stage of the emergency that a text declares or cancels; None for every other text.

    It is one when it consists of one of the words in any case, or begins with one in capitals.
    """
    line = " ".join(text.split())
    for word in words:
        pattern = re.escape(word)
        if re.fullmatch(rf"\W*({pattern}\W*)+", line, re.IGNORECASE):
            return Sos.DECLARED
        flags = re.IGNORECASE if word in ANY_CASE else re.NOFLAG
        if found := re.match(rf"\W*{pattern}(?!\w)\W*", line, flags):
            return Sos.CANCELLED if _CANCELS.match(line[found.end() :]) else Sos.DECLARED
    return None


def emergency_of(
    record: Message | DeviceText, text: str, words: Sequence[str]
) -> DeviceReport | None:
    """Return the report of the emergency in a record of a device; `text` is without its recipient.

    None for every other record, and for one whose device has reported the emergency itself.
    """
    if record.sender.network is not Network.SATELLITE or record.sos is not None:
        return None
    first, _, rest = record.text.strip().partition(" ")
    # Behind a recipient that is unknown or misspelt too.
    behind = rest if "@" in first or first.startswith("+") else record.text
    stage = read_emergency(text, words) or read_emergency(behind, words)
    if stage is None:
        return None
    return DeviceReport(
        id=alarm_id(record.id),
        sender=record.sender,
        via=record.via,
        at=record.position.at if record.position else None,
        position=record.position,
        battery_percent=record.battery_percent,
        sos=stage,
        text=record.text,
    )


def alarm_id(record_id: str) -> str:
    """Return the id of the message about the emergency that a text declares."""
    return message_id(_SEED, record_id)
