"""The API of a simulated Portal Connect for messages to devices (IPC Inbound v2), with every error code.

Guide "IPC Inbound" 3.1.1.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

FIXTURE_PREFIX: Final = "3000000000000"
EARLIEST_MS: Final = 1_293_840_000_000  # 2011-01-01
MAX_CHARACTERS: Final = 160
MAX_BINARY_BYTES: Final = 268
ERRORS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "Internal error",
        2: "Too many requests",
        3: "Authentication failed",
        4: "Unknown IMEI",
        5: "Invalid message length",
        6: "Invalid timestamp",
        7: "Invalid sender",
        8: "Invalid altitude",
        9: "Invalid speed",
        10: "Invalid course",
        11: "Invalid coordinate",
        12: "Invalid interval",
        13: "Invalid location type",
        14: "Invalid label",
        15: "Emergencies are not handled by this account",
        16: "Invalid binary type",
        17: "Invalid payload",
    }
)
_STATUSES: Final = MappingProxyType({1: 500, 2: 429, 3: 403})
_DATE: Final = re.compile(r"/Date\((-?[0-9]+)\)/")
_SENDER: Final = re.compile(r"\+?[0-9 ()-]{7,20}|[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True)
class GarminDevice:
    """An inReach of the account. If it `replies`, it answers each text to its sender."""

    imei: str
    replies: bool = False


@dataclass(frozen=True, slots=True)
class GarminDownlink:
    """A message that a device has received: a text with its sender, or bytes."""

    imei: str
    sender: str = ""
    text: str = ""
    payload: bytes = b""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "imei": self.imei,
            "from": self.sender,
            "text": self.text,
            "payload": self.payload.hex(),
        }


class Refused(Exception):
    """The request is answered with this code."""

    def __init__(self, code: int, imei: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.imei = imei


class InboundApi:
    """The API for the devices of one account. `now_ms` is its clock; `on_shown` is called with each downlink."""

    def __init__(
        self,
        api_key: str,
        devices: Iterable[GarminDevice],
        now_ms: Callable[[], int],
        on_shown: Callable[[GarminDownlink], None],
    ) -> None:
        self._api_key = api_key
        self._now_ms = now_ms
        self._on_shown = on_shown
        self.devices = {device.imei: device for device in devices}
        self.downlinks: list[GarminDownlink] = []

    @property
    def app(self) -> Router:
        """The API as an ASGI application, without its base path."""
        return Router(
            [
                Route(
                    "/Messaging/Message",
                    self._serving(self._queue(self._text_of)),
                    methods=["POST"],
                ),
                Route(
                    "/Messaging/Binary",
                    self._serving(self._queue(self._bytes_of)),
                    methods=["POST"],
                ),
                Route("/Tracking/Tracking", self._serving(self._track), methods=["POST"]),
                Route(
                    "/Location/LastKnownLocation",
                    self._serving(
                        lambda request, body: {
                            "Locations": [
                                {"IMEI": self._check_imei(imei)}
                                for imei in request.query_params.get("IMEI", "").split(",")
                            ]
                        }
                    ),
                    methods=["GET"],
                ),
                Route(
                    "/Emergency/{rest:path}",
                    self._serving(refuse_emergency),
                    methods=["GET", "POST"],
                ),
                Route(
                    "/{rest:path}",
                    self._serving(lambda request, body: None),
                    methods=["GET", "POST"],
                ),
            ]
        )

    def _serving(self, answer: Callable[[Request, Any], dict[str, Any] | None]) -> Any:
        async def serve(request: Request) -> Response:
            try:
                if request.headers.get("X-API-Key") != self._api_key:
                    raise Refused(3)
                body = await request.json() if request.method == "POST" else None
                found = answer(request, body)
            except Refused as refused:
                return refusal(request, refused)
            except (ValueError, TypeError, KeyError, AttributeError):
                return JSONResponse({"Message": "The request is invalid."}, 400)
            return JSONResponse(found) if found is not None else JSONResponse({}, 501)

        return serve

    def _queue(
        self, read: Callable[[str, Mapping[str, Any]], GarminDownlink]
    ) -> Callable[[Request, Any], dict[str, Any]]:
        def queue(request: Request, body: Any) -> dict[str, Any]:
            # All messages are read before the first is queued, so that a bad one refuses all.
            found = [
                read(self._check_imei(imei), message)
                for message in body["Messages"]
                for imei in message["Recipients"]
            ]
            for downlink in found:
                self.downlinks.append(downlink)
                self._on_shown(downlink)
            return {"count": len(found)}

        return queue

    def _check_imei(self, imei: Any) -> str:
        """Return the IMEI of a known device. Raises Refused."""
        text = str(imei)
        fixture = text.removeprefix(FIXTURE_PREFIX)
        if text != fixture and fixture.isdecimal() and int(fixture) in ERRORS:
            raise Refused(int(fixture), text)
        if text not in self.devices:
            raise Refused(4, text)
        return text

    def _text_of(self, imei: str, message: Mapping[str, Any]) -> GarminDownlink:
        text, sender = message["Message"], message["Sender"]
        if not 1 <= len(text) <= MAX_CHARACTERS:
            raise Refused(5, imei)
        date = _DATE.fullmatch(message["Timestamp"])
        if not date or not EARLIEST_MS <= int(date[1]) <= self._now_ms():
            raise Refused(6, imei)
        if not _SENDER.fullmatch(sender):
            raise Refused(7, imei)
        _check_place(imei, message.get("ReferencePoint"))
        return GarminDownlink(imei, sender, text)

    def _bytes_of(self, imei: str, message: Mapping[str, Any]) -> GarminDownlink:
        if message["Type"] not in (0, 1, 2):
            raise Refused(16, imei)
        try:
            payload = b64decode(message["Payload"], validate=True)
        except ValueError:
            raise Refused(17, imei) from None
        if len(payload) > MAX_BINARY_BYTES:
            raise Refused(17, imei)
        return GarminDownlink(imei, payload=payload)

    def _track(self, request: Request, body: Any) -> dict[str, Any]:
        for device in body["Devices"]:
            imei = self._check_imei(device["Imei"])
            if not 30 <= device["Interval"] <= 65_535:
                raise Refused(12, imei)
        return {}


def _check_place(imei: str, place: Any) -> None:
    if place is None:
        return
    coordinate = place["Coordinate"]
    checks = (
        (8, -1000 <= place["Altitude"] <= 18_000),
        (9, 0 <= place["Speed"] <= 1854),
        (10, -360 <= place["Course"] <= 360),
        (11, abs(coordinate["Latitude"]) <= 90 and abs(coordinate["Longitude"]) <= 180),
        (13, place["LocationType"] in (0, 1)),
        (14, 0 < len(place["Label"]) <= MAX_CHARACTERS),
    )
    for code, is_right in checks:
        if not is_right:
            raise Refused(code, imei)


def refuse_emergency(request: Request, body: Any) -> dict[str, Any]:
    """Raise Refused: emergencies belong to Garmin's rescue centre."""
    raise Refused(15, request.query_params.get("IMEI"))


def refusal(request: Request, refused: Refused) -> Response:
    """Return the answer with an error code, in the form of the guide."""
    content = {
        "Code": refused.code,
        "Description": ERRORS[refused.code],
        "Message": f"{ERRORS[refused.code]}.",
        "URL": str(request.url.path),
        "IMEI": [refused.imei] if refused.imei else None,
    }
    is_missing = refused.code == 3 and "X-API-Key" not in request.headers
    status = 401 if is_missing else _STATUSES.get(refused.code, 422)
    headers = {"Retry-After": "30"} if status == 429 else None
    return JSONResponse(content, status, headers)


DEVICE: Final[TypeAdapter[GarminDevice]] = TypeAdapter(GarminDevice)
