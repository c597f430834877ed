"""An account at RockBLOCK with a signing key of ours, and its webhooks."""

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from messaging.config.env import read
from messaging.model.webhook import Webhook
from messaging.satellite.account import Packet
from messaging.satellite.providers.rockblock.account import RockblockAccount
from messaging.simulator.rockblock.push import public_key_text
from tests.support.satellite.ground_control import (
    IMEI,
    PASSWORD,
)


def account(key: rsa.RSAPrivateKey | None = None, **more: Any) -> RockblockAccount:
    own = {"public_key": public_key_text(key)} if key else {}
    return read(RockblockAccount, username="boss", password=PASSWORD, **own, **more)


def webhook(content: Any, path: str = "/satellite/rockblock/rockblock") -> Webhook:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Webhook(path=path, query="", headers={}, body=body)


def facts(**changes: Any) -> dict[str, Any]:
    fields = {
        "imei": IMEI,
        "serial": 12345,
        "momsn": 7,
        "transmit_time": "21-10-31 10:41:50",
        "iridium_latitude": 52.3867,
        "iridium_longitude": 0.2938,
        "iridium_cep": 8,
        "data": "48656c6c6f",
        "device_type": "ROCKBLOCK",
    }
    return {**fields, **changes}


def packet_of(used: RockblockAccount, content: Any, path: str = "/") -> Packet:
    (found,) = used.parse(webhook(content, path), "https://example.org")
    assert isinstance(found, Packet)
    return found
