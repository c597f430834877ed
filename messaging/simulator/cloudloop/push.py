"""The webhooks of a simulated Cloudloop in their three formats: LingoMO, and the two older ones.

Cloudloop's pages "LingoMO" and "HTTP Webhook". Nothing in them is signed.
"""

import base64
import json
import uuid
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from messaging.simulator.shared.modem_switches import ModemUplink
from messaging.simulator.shared.modems import Modem
from messaging.simulator.shared.pushes import Push

LINGO: Final = "LINGO"
FORMS: Final = (LINGO, "CORE_JSON", "CORE_FORM")
ACCOUNT: Final = "yJGjpPobLlmOdanVkPWAKYzNMgwVZkrR"


def push_of(
    url: str, form: str, modem: Modem, uplink: ModemUplink, momsn: int, service: str
) -> Push:
    """Return the request for one uplink by `service` (`sbd` or `imt`)."""
    fields = _core(modem, uplink, momsn)
    if form == LINGO:
        fields = _lingo(modem, uplink, momsn, service)
    fields |= uplink.changes
    if form == "CORE_FORM":
        return Push(
            url=url,
            content=urlencode(fields).encode(),
            media_type="application/x-www-form-urlencoded",
        )
    return Push(url=url, content=json.dumps(fields).encode(), media_type="application/json")


def _lingo(modem: Modem, uplink: ModemUplink, momsn: int, service: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    kind = "SUBSCRIBER_TYPE_SBD" if service == "sbd" else "SUBSCRIBER_TYPE_CERTUS"
    header = _sbd(modem, momsn, now) if service == "sbd" else _imt(uplink)
    return {
        "id": str(uuid.uuid4()),
        "receivedAt": _time(now),
        "identity": {
            "accountId": ACCOUNT,
            "subscriber": {"id": f"S{modem.imei}", "type": kind, "description": ""},
            "hardware": {
                "id": f"H{modem.imei}",
                "type": "HARDWARE_TYPE_ROCKBLOCK",
                "imei": modem.imei,
                "serial": str(modem.serial),
            },
            "identifier": modem.imei,
            "thingId": modem.thing,
        },
        service: header,
        "message": base64.b64encode(uplink.payload()).decode(),
        "signature": "",
    }


def _sbd(modem: Modem, momsn: int, now: datetime) -> dict[str, Any]:
    return {
        "imei": modem.imei,
        "cdrReference": str(uuid.uuid4().int % 10**10),
        "momsn": momsn,
        "mtmsn": 0,
        "sessionAt": _time(now),
        "status": "SESSION_STATUS_OK",
        "location": {
            "latitude": modem.latitude,
            "longitude": modem.longitude,
            "cep": modem.cep,
        },
    }


def _imt(uplink: ModemUplink) -> dict[str, Any]:
    # The topic is documented, the rest has been reported by others.
    return {
        "topic": "IMT_TOPIC_RAW",
        "messageId": 1,
        "crcError": False,
        "size": len(uplink.payload()),
    }


def _core(modem: Modem, uplink: ModemUplink, momsn: int) -> dict[str, Any]:
    return {
        "id": uuid.uuid4().hex,
        "imei": modem.imei,
        "device_type": "ROCKBLOCK",
        "serial": modem.serial,
        "momsn": momsn,
        "transmit_time": uplink.transmit_time or f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "iridium_latitude": modem.latitude,
        "iridium_longitude": modem.longitude,
        "cep": modem.cep,
        "data": uplink.payload().hex(),
    }


def _time(moment: datetime) -> dict[str, int]:
    parts = ("year", "month", "day", "hour", "minute", "second")
    return {part: getattr(moment, part) for part in parts}
