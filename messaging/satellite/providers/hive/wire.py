"""The items of the Hive's inbox, of every version of the service. Pure."""

import base64
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from messaging.satellite.account import Packet

log = logging.getLogger(__name__)

INCOMING_UNACKNOWLEDGED = 0


def packets_of(items: Sequence[Any]) -> list[Packet]:
    """Return the packets of a page, oldest first, without repetitions and items that cannot be acknowledged.

    Never raises: a packet with unreadable data has no payload and keeps its raw form.
    """
    found: dict[str, tuple[datetime, int, Packet]] = {}
    for item in items:
        number = _packet_number(item)
        if number is None:
            log.warning("the Hive listed an item without a packet id")
        elif number and item.get("status", INCOMING_UNACKNOWLEDGED) == INCOMING_UNACKNOWLEDGED:
            found[str(number)] = (_hive_time(item.get("hiveRxTime")), number, _packet(item))
    return [packet for _, _, packet in sorted(found.values(), key=lambda entry: entry[:2])]


def _packet_number(item: Any) -> int | None:
    """Return the packet's id; 0 is the portal's test packet. `messageId` equals it for uplinks, when present."""
    if not isinstance(item, dict):
        return None
    number = item.get("packetId", item.get("messageId"))
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _packet(item: Mapping[str, Any]) -> Packet:
    identity = str(_packet_number(item)), str(item.get("deviceId", ""))
    try:
        payload = base64.b64decode(item["data"].strip(), validate=True)
    except (KeyError, AttributeError, ValueError):
        return Packet(*identity, payload=None, raw=json.dumps(item).encode())
    return Packet(*identity, payload=payload, raw=payload)


def _hive_time(text: Any) -> datetime:
    """Read `hiveRxTime`, which is UTC with or without a zone. It is used for the order only; nonsense sorts first."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
