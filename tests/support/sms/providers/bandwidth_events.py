"""Events of Bandwidth's, and how they are read."""

import json
from typing import Any

from messaging.sms.account import Received
from messaging.sms.providers.bandwidth.webhook import read_callback

OURS, PHONE = "+15550001111", "+15550002222"


def event(kind: str = "message-received", **changes: Any) -> dict[str, Any]:
    inbound = kind == "message-received"
    message = {
        "id": "m1",
        "owner": OURS,
        "applicationId": "app",
        "time": "2026-11-01T10:00:00.000Z",
        "segmentCount": 2,
        "direction": "in" if inbound else "out",
        "to": [OURS if inbound else PHONE],
        "from": PHONE if inbound else OURS,
        "text": "hello" if inbound else "",
        "tag": "ours-1",
        "unheardOf": {"x": 1},
        **changes.pop("message", {}),
    }
    told = {"type": kind, "time": "2026-11-01T10:00:00Z", "to": OURS if inbound else PHONE}
    return {**told, "description": "for machines", "message": message, **changes}


def read(*events: Any, media_links: bool = True) -> list[Received]:
    return read_callback(json.dumps(list(events)).encode(), "bandwidth", media_links=media_links)
