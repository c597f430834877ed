"""The web service of RockBLOCK for messages to devices.

Ground Control's page "Sending MT messages".
"""

from typing import TYPE_CHECKING

from messaging.errors import ConfigurationError, Rejected, Unavailable, Uncertain
from messaging.satellite.account import SubmittedPart
from messaging.satellite.http_client import RestClient, raise_on_failure
from messaging.satellite.providers.iridium import credits_for
from messaging.satellite.providers.rockblock.errors import (
    BAD_LOGIN,
    LOGIN_WORDS,
    NO_CREDIT,
    error_code,
    read_message_id,
)

if TYPE_CHECKING:
    from messaging.satellite.providers.rockblock.account import RockblockAccount

NO_DEVICE = "0" * 15  # an IMEI that no modem has, for the probe
SPARE_CONNECTIONS = 1


class Rockblock:
    """Queues messages to devices; connects at the first call. The service never reports deliveries."""

    def __init__(self, account: "RockblockAccount") -> None:
        self._account = account
        connections = account.max_sends + SPARE_CONNECTIONS
        self._rest = RestClient(account.url, account.timeout_seconds, connections)

    async def send(self, serial: str, packet: bytes) -> SubmittedPart:
        """Queue one packet for the device with this IMEI, once.

        Returns the service's id and the credits that it charges. Raises Rejected, Unavailable, or Uncertain.
        """
        account = self._account
        if len(packet) > account.max_packet_bytes:
            raise Rejected(f"{len(packet)} bytes are too long for one packet of this network")
        if not (serial.isascii() and serial.isdecimal()):
            raise Rejected("the device's serial is not an IMEI, which this network needs")
        flush = {"flush": "yes"} if account.flush else {}
        answer = await self._post({"imei": serial, "data": packet.hex(), **flush}, writes=True)
        # Only the operator can end these two.
        actions = {
            BAD_LOGIN: f"check {self._login_settings}",
            NO_CREDIT: f"buy credit for the account {account.name} at RockBLOCK",
        }
        message_id = read_message_id(answer, account.hold_seconds, actions)
        return SubmittedPart(message_id, credits_for(len(packet), account.credit_bytes))

    async def check(self) -> None:
        """Return when RockBLOCK accepts our login, tested by an empty message, which is free of charge.

        Raises ConfigurationError naming the settings, or Unavailable.
        """
        answer = await self._post({"imei": NO_DEVICE, "data": ""}, writes=False)
        code = error_code(answer)
        if code == BAD_LOGIN:
            raise ConfigurationError(f"{self._login_settings}: {LOGIN_WORDS}")
        if not code or code == "99":
            raise Unavailable("the satellite network's answer cannot be read")

    async def aclose(self) -> None:
        """Close the connections; the next call connects again."""
        await self._rest.aclose()

    @property
    def _login_settings(self) -> str:
        return f"{self._account.variable('username')} and {self._account.variable('password')}"

    async def _post(self, form: dict[str, str], *, writes: bool) -> str:
        """Post a form and return the line of the answer."""
        account = self._account
        # The login travels in the body, because logs contain URLs.
        login = {"username": account.username, "password": account.password.get_secret_value()}
        response = await self._rest.call("POST", "/MT", writes=writes, data=login | form)
        if response.is_server_error and writes:
            # RockBLOCK's own errors come with 200; this one is from a proxy before it and leaves the effect unknown.
            raise Uncertain(
                f"the satellite network cannot answer now (HTTP {response.status_code})"
            )
        raise_on_failure(response)
        return response.text
