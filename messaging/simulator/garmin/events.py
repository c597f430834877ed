"""Writes what Garmin posts about its devices, in each version of its schema. Guide "IPC Outbound" 2.0.8.

Written apart from the gateway's reader, so that one checks the other.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Version = Literal["2.0", "3.0", "4.0"]
VERSIONS: Final[tuple[str, ...]] = get_args(Version)
BINARY_CODES: Final = frozenset({64, 66, 67})
PINGBACK: Final = 65
NOT_REPORTED: Final = 2


class Event(BaseModel):
    """What a person or a test lets a device send. A `fix` of 0 has no place. `at_ms` is when it was sent.

    `payload` is base64, for binary codes. `changes` add or replace properties of the posted event, to break it.
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


def posted(
    events: Sequence[Event], version: Version, now_ms: int, *, nulls: bool
) -> dict[str, Any]:
    """Return the body of a post. Without `nulls`, as with encrypted messaging, what has no value is left out."""
    written = [_written(event, version, now_ms) for event in events]
    if not nulls:
        written = [_without_nulls(event) for event in written]
    return {"Version": version, "Events": written}


def _written(event: Event, version: Version, now_ms: int) -> dict[str, Any]:
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


def _newer(event: Event, version: Version, at_ms: int) -> dict[str, Any]:
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


def _binary(event: Event, version: Version, at_ms: int) -> dict[str, Any]:
    some = {
        "imei": event.imei,
        "messageCode": event.code,
        "payload": event.payload,
        "status": {"lowBattery": event.low_battery},
    }
    return some | {"timeStamp": at_ms} if version == "4.0" else some


def _point(event: Event) -> dict[str, float]:
    known = event.fix > 0
    return {
        "latitude": event.latitude if known else 0,
        "longitude": event.longitude if known else 0,
        "altitude": event.altitude if known else 0,
        "gpsFix": event.fix,
        "course": 0,
        "speed": 0,
    }


def _without_nulls(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if value is not None}
