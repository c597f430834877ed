"""What a simulated Hive holds: devices, what they sent, what is on its way to them. Safe to use from any thread."""

import base64
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

MAX_PACKET_BYTES = 192
USER_DATA = 6
FROM_DEVICE, TO_DEVICE = 1, 2
_PROTOCOLS = {"unknown": 0, "email": 1, "sms": 2, "twitter": 3}


class Status(IntEnum):
    """Where a packet is. The Hive's own numbers, but for DELIVERED, for which no public material has one."""

    RECEIVED = 0
    QUEUED = 1
    ACKNOWLEDGED = 2
    AT_GROUND_STATION = 3
    DELIVERED = 4
    RETRYING = -3
    FAILED = -4


@dataclass(frozen=True, slots=True)
class Device:
    """A device; one that is not `two_way` refuses downlinks, one that is not `reachable` never gets them."""

    id: int
    name: str = ""
    two_way: bool = True
    reachable: bool = True


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet in either direction, with the status it has now."""

    id: int
    device_id: int
    data: bytes
    direction: int
    status: Status
    application_id: int = 1
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))


_NEXT = {
    (Status.QUEUED, True): Status.AT_GROUND_STATION,
    (Status.AT_GROUND_STATION, True): Status.DELIVERED,
    (Status.QUEUED, False): Status.AT_GROUND_STATION,
    (Status.AT_GROUND_STATION, False): Status.RETRYING,
    (Status.RETRYING, False): Status.FAILED,
    (Status.RETRYING, True): Status.DELIVERED,
}


class HiveState:
    """The packets and devices of one Hive. `on_shown` is told of each downlink that its device shows."""

    def __init__(self, on_shown: Callable[[Packet], None] | None = None) -> None:
        self._on_shown = on_shown
        self._lock = threading.Lock()
        self._last_id = 0
        self._devices: dict[int, Device] = {}
        self._waiting: dict[int, Packet] = {}
        self._acknowledged: dict[int, Packet] = {}
        self._downlinks: dict[int, Packet] = {}

    def add_device(self, device: Device) -> None:
        """Add a device, or change the one with its id."""
        with self._lock:
            self._devices[device.id] = device

    def devices(self) -> list[Device]:
        """Return all devices."""
        with self._lock:
            return list(self._devices.values())

    def device(self, device_id: int) -> Device | None:
        """Return one device, None when there is none of that id."""
        return self._devices.get(device_id)

    def put_uplink(self, device_id: int, data: bytes, application_id: int = 1) -> int:
        """Let a device send `data`; returns the packet's id."""
        return self._put(device_id, data, FROM_DEVICE, application_id)

    def put_downlink(self, device_id: int, data: bytes, application_id: int = 1) -> int:
        """Queue `data` for a device; returns the packet's id."""
        return self._put(device_id, data, TO_DEVICE, application_id)

    def acknowledge(self, packet_id: int, *, forget: bool = True) -> bool:
        """Mark an uplink as taken; False when no such packet waits. Without `forget` it stays in the list."""
        with self._lock:
            packet = self._waiting.get(packet_id)
            if packet is not None and forget:
                del self._waiting[packet_id]
                self._acknowledged[packet_id] = replace(packet, status=Status.ACKNOWLEDGED)
            return packet is not None

    def advance(self, packet_id: int) -> Status:
        """Move a downlink one step on its way and return where it is; the end stays the end."""
        with self._lock:
            packet = self._downlinks[packet_id]
            device = self._devices.get(packet.device_id)
            reachable = device is not None and device.reachable
            status = _NEXT.get((packet.status, reachable), packet.status)
            packet = self._downlinks[packet_id] = replace(packet, status=status)
            arrived = status is Status.DELIVERED
        if arrived and self._on_shown is not None:
            self._on_shown(packet)
        return status

    def uplinks(self, *, acknowledged: bool = False) -> list[Packet]:
        """Return the uplinks that wait, oldest first, or those that were taken."""
        with self._lock:
            return list((self._acknowledged if acknowledged else self._waiting).values())

    def downlinks(self, after: int = 0) -> list[Packet]:
        """Return the downlinks with an id above `after`, in the order they were queued."""
        with self._lock:
            return [packet for packet in self._downlinks.values() if packet.id > after]

    def counts(self) -> dict[str, int]:
        """Return how many packets are in which state."""
        with self._lock:
            counts = {"waiting": len(self._waiting), "acknowledged": len(self._acknowledged)}
            for packet in self._downlinks.values():
                name = packet.status.name.lower()
                counts[name] = counts.get(name, 0) + 1
            return counts

    def _put(self, device_id: int, data: bytes, direction: int, application_id: int) -> int:
        status = Status.RECEIVED if direction == FROM_DEVICE else Status.QUEUED
        with self._lock:
            self._last_id += 1
            packet = Packet(self._last_id, device_id, data, direction, status, application_id)
            (self._waiting if direction == FROM_DEVICE else self._downlinks)[packet.id] = packet
            return packet.id


def listed(packet: Packet, *, with_message_id: bool, zoned: bool) -> dict[str, Any]:
    """Return a packet as the Hive lists it; old Hives leave `messageId` out and time has a zone or not."""
    moment = packet.received_at
    text = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z" if zoned else None
    item: dict[str, Any] = {
        "packetId": packet.id,
        "deviceType": 1,
        "deviceId": packet.device_id,
        "direction": packet.direction,
        "dataType": USER_DATA,
        "userApplicationId": packet.application_id,
        "organizationId": 1,
        "len": len(packet.data),
        "data": base64.b64encode(packet.data).decode(),
        "ackPacketId": 0,
        "status": int(packet.status),
        "hiveRxTime": text or f"{moment:%Y-%m-%dT%H:%M:%S}",
    }
    return item | {"messageId": packet.id} if with_message_id else item


def device_payload(texts: Iterable[Mapping[str, str]]) -> bytes:
    """Write what a device would: texts with `text`, `to` and `protocol` (email, sms, unknown, twitter).

    Written by hand from the format's field numbers, so that it also checks the gateway's own reader.
    Raises KeyError for what is missing or a protocol that there is not.
    """
    messages = b"".join(_field(2, _message(text)) for text in texts)
    return b"\x08\x01" + messages + b"\x18\x01"


def _message(text: Mapping[str, str]) -> bytes:
    protocol = _PROTOCOLS[text.get("protocol", "unknown")]
    fields = _field(1, text["text"].encode()), _field(3, text["to"].encode())
    return b"".join(fields) + bytes([5 << 3, protocol])


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
