"""IPC Inbound v2, the API of Garmin's Portal Connect for messages to devices. Guide "IPC Inbound" 3.1.1."""

import time
from typing import TYPE_CHECKING, Final

import httpx

from messaging.errors import AccountBlocked, ConfigurationError, GatewayError, Rejected, Unavailable
from messaging.satellite.account import SubmittedPart
from messaging.satellite.http_client import RestClient, failure, json_of
from messaging.satellite.providers.garmin.errors import (
    BAD_KEY,
    ERROR_CODES,
    INTERNAL,
    THROTTLED,
    code_failure,
)
from messaging.satellite.providers.garmin.wire import error_code, is_binary, read_count, request_of

if TYPE_CHECKING:
    from messaging.satellite.providers.garmin.account import GarminAccount

NO_DEVICE: Final = "0" * 15  # an IMEI that no device has, for the probe
SPARE_CONNECTIONS: Final = 1
_NO_KEY: Final = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})


class Garmin:
    """Submits messages to devices; connects at the first call."""

    def __init__(self, account: "GarminAccount") -> None:
        self._account = account
        self._rest = RestClient(
            account.url,
            account.timeout_seconds,
            account.max_sends + SPARE_CONNECTIONS,
            {"X-API-Key": account.api_key.get_secret_value()},
        )
        self._last_milliseconds = 0

    async def send(self, serial: str, packet: bytes) -> SubmittedPart:
        """Submit one message for the device with the IMEI `serial`, once.

        Garmin gives no id and never reports deliveries: the date of the message stands in for the id. Garmin charges
        per message. Raises Rejected, Unavailable or Uncertain.
        """
        if not (serial.isascii() and serial.isdecimal() and len(serial) == len(NO_DEVICE)):
            raise Rejected("the device's serial is not an IMEI of 15 digits")
        # No two messages have the same date, because the date is the id.
        now = int((time.time() - self._account.clock_margin_seconds) * 1000)
        date = self._last_milliseconds = max(now, self._last_milliseconds + 1)
        path = "/Messaging/Binary" if is_binary(packet) else "/Messaging/Message"
        response = await self._rest.call(
            "POST",
            path,
            writes=True,
            # Every error code says that no message was accepted, except for Garmin's internal errors.
            refuses=lambda answer: error_code(answer) in ERROR_CODES - {INTERNAL},
            json=request_of(packet, serial, date),
        )
        if not response.is_success:
            raise self._failure(response)
        return SubmittedPart(str(date), read_count(json_of(response)))

    async def check(self) -> None:
        """Return when Garmin accepts our key. Raises Unavailable, or ConfigurationError naming the setting.

        Asks for the position of a device that does not exist: an error about the device shows that the key is right.
        """
        query = {"IMEI": NO_DEVICE}
        response = await self._rest.call("GET", "/Location/LastKnownLocation", params=query)
        code = error_code(response)
        if response.status_code in _NO_KEY or code == BAD_KEY:
            key = self._account.variable("api_key")
            raise ConfigurationError(f"{key}: Garmin does not accept the key")
        if not response.is_success and (code is None or code in (INTERNAL, THROTTLED)):
            raise failure(response) or Unavailable("the satellite network cannot answer now")

    async def aclose(self) -> None:
        """Close the connections; the next call connects again."""
        await self._rest.aclose()

    def _failure(self, response: httpx.Response) -> GatewayError:
        """Return the error of a message."""
        code = error_code(response)
        if response.status_code in _NO_KEY or code == BAD_KEY:
            action = f"check {self._account.variable('api_key')}"
            return AccountBlocked(code_failure(BAD_KEY).reason, action)
        error = failure(response, {}) or Unavailable("the satellite network cannot answer now")
        if response.status_code == httpx.codes.NOT_IMPLEMENTED:
            return Rejected("the satellite network cannot do this")
        # A server error never rejects the message, even with an error code in its body.
        if code is None or isinstance(error, Unavailable):
            return error
        return code_failure(code)
