"""Messages to devices for the simulated Portal Connect."""

import time
from typing import Any

import httpx

from tests.support.satellite.garmin_server import API_KEY, IMEI, GarminServer


def message(**changes: Any) -> dict[str, Any]:
    usual = {
        "Recipients": [IMEI],
        "Sender": "alice@example.net",
        "Timestamp": f"/Date({int(time.time() * 1000) - 1000})/",
        "Message": "hello",
    }
    return {"Messages": [{**usual, **changes}]}


def place(**changes: Any) -> dict[str, Any]:
    usual = {
        "LocationType": 0,
        "Altitude": 1,
        "Speed": 1,
        "Course": 1,
        "Coordinate": {"Latitude": 1, "Longitude": 1},
        "Label": "camp",
    }
    return message(ReferencePoint={**usual, **changes})


def call(garmin: GarminServer, path: str, content: Any, key: str | None = API_KEY) -> Any:
    headers = {} if key is None else {"X-API-Key": key}
    with httpx.Client(base_url=f"{garmin.url}/api", trust_env=False, headers=headers) as client:
        return client.post(path, json=content)


def binary(**changes: Any) -> dict[str, Any]:
    return {"Messages": [{"Recipients": [IMEI], "Type": 1, "Payload": "AAEC", **changes}]}
