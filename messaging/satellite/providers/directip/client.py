"""Messages to devices over DirectIP, with one connection to Iridium's gateway for each message."""

import asyncio
import secrets
from typing import TYPE_CHECKING, Final

from messaging.config.settings import Listen
from messaging.errors import Rejected, Unavailable, Uncertain
from messaging.satellite.account import SubmittedPart
from messaging.satellite.providers.directip.downlink import Flags, request, status_of
from messaging.satellite.providers.directip.errors import (
    UNREADABLE,
    probe_failure,
    status_failure,
)
from messaging.satellite.providers.directip.frames import (
    START_BYTES,
    Malformed,
    body_bytes,
    is_imei,
)
from messaging.satellite.providers.iridium import credits_for

if TYPE_CHECKING:
    from messaging.satellite.providers.directip.account import DirectIpAccount

NO_DEVICE: Final = "0" * 15  # an IMEI that no modem has, for the probe
MAX_CLIENT_ID: Final = 0xFFFF_FFFF


class DirectIp:
    """Queues messages to devices. The gateway never reports deliveries."""

    def __init__(self, account: "DirectIpAccount") -> None:
        self._account = account

    async def send(self, serial: str, packet: bytes) -> SubmittedPart:
        """Queue one packet for the device with this IMEI, once.

        Returns the gateway's id, and the billed units if they are known. Raises Rejected, Unavailable, or Uncertain.
        """
        account = self._account
        if len(packet) > account.max_packet_bytes:
            raise Rejected(f"{len(packet)} bytes are too long for one packet of this network")
        if not is_imei(serial):
            raise Rejected("the device's serial is not an IMEI, which this network needs")
        flags = Flags.FLUSH if account.flush else Flags(0)
        auto_id, status = await self._submit(serial, packet, flags, account.priority)
        error = status_failure(status, account.hold_seconds)
        if error is not None:
            raise error
        units = credits_for(len(packet), account.credit_bytes) if account.credit_bytes else None
        return SubmittedPart(str(auto_id), units)

    async def check(self) -> None:
        """Return when the gateway accepts us, tested by an empty message to no device. Raises Unavailable."""
        try:
            _, status = await self._submit(NO_DEVICE, b"", Flags(0), None)
        except Uncertain as error:
            raise Unavailable(error.reason) from None
        failure = probe_failure(status)
        if failure is not None:
            raise failure

    async def aclose(self) -> None:
        """Do nothing: each message has a connection of its own."""

    async def _submit(
        self, imei: str, packet: bytes, flags: Flags, priority: int | None
    ) -> tuple[int, int]:
        """Return the gateway's id and status for one message. Raises Unavailable or Uncertain."""
        client_id = secrets.randbelow(MAX_CLIENT_ID) + 1
        frame = request(client_id, imei, packet, flags, priority)
        return status_of(await self._exchange(frame), client_id, imei)

    async def _exchange(self, frame: bytes) -> bytes:
        """Send a frame and return the gateway's answer, within the time-out for both."""
        ends = asyncio.get_running_loop().time() + self._account.timeout_seconds
        gateway = Listen.parse(self._account.gateway)
        try:
            async with asyncio.timeout_at(ends):
                reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
        except (OSError, TimeoutError):
            raise Unavailable("the satellite network cannot be reached") from None
        try:
            async with asyncio.timeout_at(ends):
                writer.write(frame)
                await writer.drain()
                start = await reader.readexactly(START_BYTES)
                return start + await reader.readexactly(body_bytes(start))
        except Malformed:
            raise Uncertain(UNREADABLE) from None
        except TimeoutError:
            raise Uncertain("the satellite network did not answer in time") from None
        except (OSError, EOFError):
            raise Uncertain("the connection to the satellite network broke") from None
        finally:
            writer.close()
