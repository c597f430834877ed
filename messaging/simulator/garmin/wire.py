"""The bodies of Garmin's posts, in each version of the schema. Guide "IPC Outbound" 2.0.8.

Independent of the gateway's reader, so that each checks the other.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Version = Literal["2.0", "3.0", "4.0"]
VERSIONS: Final[tuple[str, ...]] = get_args(Version)
BINARY_CODES: Final = frozenset({64, 66, 67})
PINGBACK: Final = 65
NOT_REPORTED: Final = 2


class GarminEvent(BaseModel):
    """An event of a device. A `fix` of 0 has no position. `at_ms` is the time of sending.

    `payload` is base64, for binary codes. `changes` add or replace properties of the event in the post, to break it.
    """

    model_config = ConfigDict(extra="forbid")

    imei: str
    code: int = 3
    text: str | None = ""
    to: list[str] = []
    latitude: float = 0
    longitude: float = 0
    altitude: float = 0
    fix: int = Field(default=0, ge=0, le=3)
    low_battery: int = NOT_REPORTED
    payload: str | None = None
    media_type: str | None = None
    media_bytes: str | None = None
    transcription: str | None = None
    transport: Literal["Satellite", "Internet"] = "Satellite"
    at_ms: int | None = None
    changes: dict[str, Any] = {}


def post_body(
    events: Sequence[GarminEvent], version: Version, now_ms: int, *, nulls: bool
) -> dict[str, Any]:
    """Return the body of a post. Without `nulls` (encrypted messaging) properties without a value are left out."""
    contents = [_event_json(event, version, now_ms) for event in events]
    if not nulls:
        contents = [
            {name: value for name, value in content.items() if value is not None}
            for content in contents
        ]
    return {"Version": version, "Events": contents}


def _event_json(event: GarminEvent, version: Version, now_ms: int) -> dict[str, Any]:
    at_ms = now_ms if event.at_ms is None else event.at_ms
    if event.code in BINARY_CODES:
        return {**_binary(event, version, at_ms), **event.changes}
    whole = {
        "imei": event.imei,
        "messageCode": event.code,
        "freeText": event.text,
        "timeStamp": at_ms,
        "pingbackReceived": at_ms if event.code == PINGBACK else None,
        "pingbackResponded": at_ms + 1 if event.code == PINGBACK else None,
        "addresses": [{"address": address} for address in event.to],
        "point": _point(event),
        "status": {
            "autonomous": 1,
            "lowBattery": event.low_battery,
            "intervalChange": 0,
            "resetDetected": 0,
        },
        "payload": None,
    }
    return {**whole, **_newer(event, version, at_ms), **event.changes}


def _newer(event: GarminEvent, version: Version, at_ms: int) -> dict[str, Any]:
    third = {"transportMode": event.transport}
    if version == "2.0":
        return {}
    if version == "3.0":
        return third
    return third | {
        "mediaId": f"media-{at_ms}" if event.media_type else None,
        "mediaType": event.media_type,
        "mediaBytes": event.media_bytes,
        "transcription": event.transcription,
    }


def _binary(event: GarminEvent, version: Version, at_ms: int) -> dict[str, Any]:
    some = {
        "imei": event.imei,
        "messageCode": event.code,
        "payload": event.payload,
        "status": {"lowBattery": event.low_battery},
    }
    return some | {"timeStamp": at_ms} if version == "4.0" else some


def _point(event: GarminEvent) -> dict[str, float]:
    known = event.fix > 0
    return {
        "latitude": event.latitude if known else 0,
        "longitude": event.longitude if known else 0,
        "altitude": event.altitude if known else 0,
        "gpsFix": event.fix,
        "course": 0,
        "speed": 0,
    }
