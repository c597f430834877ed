"""Requests of a client of the simulated Hive."""

import base64
from typing import Any

import httpx


def log_in(hive: httpx.Client) -> str:
    answer = hive.post("/hive/login", data={"username": "demo", "password": "demo"})
    assert answer.status_code == 200
    return str(answer.json()["token"])


def downlink(data: bytes = b"hello", device: int = 9, **changes: Any) -> dict[str, Any]:
    body = {"deviceType": 1, "deviceId": device, "userApplicationId": 1}
    return {**body, "data": base64.b64encode(data).decode(), **changes}
