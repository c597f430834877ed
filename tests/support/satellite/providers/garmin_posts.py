"""Posts of Garmin as bytes, and the packets in them."""

import json
from datetime import UTC, datetime
from typing import Any

from messaging.model.message import Address, Network
from messaging.satellite.account import Packet
from messaging.satellite.providers.garmin.webhook import EventContext, packets_of
from messaging.simulator.garmin.wire import GarminEvent, Version, post_body
from tests.support.satellite.garmin_server import IMEI

NOW_MS = 1_790_000_000_123


AT = datetime(2026, 9, 21, 14, 13, 20, 123000, tzinfo=UTC)


PLAIN = EventContext(predefined={})


BOB = Address(Network.EMAIL, "bob@example.net")


def body(*events: GarminEvent, version: Version = "4.0", nulls: bool = True) -> bytes:
    return json.dumps(post_body(events, version, NOW_MS, nulls=nulls)).encode()


def event(**fields: Any) -> GarminEvent:
    return GarminEvent.model_validate({"imei": IMEI, **fields})


def only(reading: EventContext = PLAIN, version: Version = "4.0", **fields: Any) -> Packet:
    (packet,) = packets_of(body(event(**fields), version=version), reading)
    return packet


def raw(*events: Any) -> list[Packet]:
    return packets_of(json.dumps({"Version": "4.0", "Events": events}).encode(), PLAIN)
