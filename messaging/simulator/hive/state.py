"""The state of a simulated Hive: devices, and packets in both directions. Thread-safe."""

import base64
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

MAX_PACKET_BYTES = 192
USER_DATA = 6
FROM_DEVICE, TO_DEVICE = 1, 2


class Status(IntEnum):
    """The status of a packet. The numbers are the Hive's own; that of DELIVERED is not documented."""

    RECEIVED = 0
    QUEUED = 1
    ACKNOWLEDGED = 2
    AT_GROUND_STATION = 3
    DELIVERED = 4
    RETRYING = -3
    FAILED = -4


@dataclass(frozen=True, slots=True)
class HiveDevice:
    """A device. Unless `two_way`, it refuses downlinks; unless `reachable`, it never gets them."""

    id: int
    name: str = ""
    two_way: bool = True
    reachable: bool = True


@dataclass(frozen=True, slots=True)
class HivePacket:
    """A packet in either direction, with its current status."""

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
    """The packets and devices of one Hive. `on_shown` is called with each downlink that reaches its device."""

    def __init__(self, on_shown: Callable[[HivePacket], None] | None = None) -> None:
        self._on_shown = on_shown
        self._lock = threading.Lock()
        self._last_id = 0
        self._devices: dict[int, HiveDevice] = {}
        self._waiting: dict[int, HivePacket] = {}
        self._acknowledged: dict[int, HivePacket] = {}
        self._downlinks: dict[int, HivePacket] = {}

    def add_device(self, device: HiveDevice) -> None:
        """Add a device, or replace the one with its id."""
        with self._lock:
            self._devices[device.id] = device

    def devices(self) -> list[HiveDevice]:
        """Return all devices."""
        with self._lock:
            return list(self._devices.values())

    def device(self, device_id: int) -> HiveDevice | None:
        """Return the device with this id."""
        return self._devices.get(device_id)

    def put_uplink(self, device_id: int, data: bytes, application_id: int = 1) -> int:
        """Store `data` from a device; return the packet's id."""
        return self._put(device_id, data, FROM_DEVICE, application_id)

    def put_downlink(self, device_id: int, data: bytes, application_id: int = 1) -> int:
        """Queue `data` for a device; return the packet's id."""
        return self._put(device_id, data, TO_DEVICE, application_id)

    def acknowledge(self, packet_id: int, *, forget: bool = True) -> bool:
        """Mark an uplink as acknowledged; False for an unknown packet. Without `forget` it stays in the list."""
        with self._lock:
            packet = self._waiting.get(packet_id)
            if packet is not None and forget:
                del self._waiting[packet_id]
                self._acknowledged[packet_id] = replace(packet, status=Status.ACKNOWLEDGED)
            return packet is not None

    def advance(self, packet_id: int) -> Status:
        """Move a downlink one step and return its status; a final status stays."""
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

    def uplinks(self, *, acknowledged: bool = False) -> list[HivePacket]:
        """Return the unacknowledged uplinks, oldest first, or the acknowledged ones."""
        with self._lock:
            return list((self._acknowledged if acknowledged else self._waiting).values())

    def downlinks(self, after: int = 0) -> list[HivePacket]:
        """Return the downlinks with an id above `after`, in the order they were queued."""
        with self._lock:
            return [packet for packet in self._downlinks.values() if packet.id > after]

    def counts(self) -> dict[str, int]:
        """Return the number of packets in each state."""
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
            packet = HivePacket(self._last_id, device_id, data, direction, status, application_id)
            (self._waiting if direction == FROM_DEVICE else self._downlinks)[packet.id] = packet
            return packet.id


def list_item(packet: HivePacket, *, with_message_id: bool, zoned: bool) -> dict[str, Any]:
    """Return a packet as an item of the Hive's list, with or without `messageId` and a time zone."""
    moment = packet.received_at
    time_text = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z" if zoned else None
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
        "hiveRxTime": time_text or f"{moment:%Y-%m-%dT%H:%M:%S}",
    }
    return item | {"messageId": packet.id} if with_message_id else item
