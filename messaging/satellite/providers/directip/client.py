"""Iridium SBD by DirectIP: settings, messages to devices; `directip_server` takes those from them.

Iridium SBD developer guide 3.0. `docs/networks/directip.md` says what is known of it and what is not.
"""

import asyncio
import secrets
from typing import Annotated, Final

from pydantic import Field

from messaging.config.settings import Listen, ListenText
from messaging.errors import Rejected, Unavailable, Uncertain
from messaging.model.message import Message
from messaging.satellite.account import Count, ListeningAccount, Seconds, SubmittedPart, Take
from messaging.satellite.ip_allowlist import PeersText
from messaging.satellite.providers.directip.downlink import (
    UNREADABLE,
    Flags,
    failure_of,
    probe_failure,
    request,
    status_of,
)
from messaging.satellite.providers.directip.frames import (
    START_BYTES,
    Malformed,
    body_bytes,
    is_imei,
)
from messaging.satellite.providers.directip.server import DirectIpServer
from messaging.satellite.providers.iridium import credits_for

NO_DEVICE: Final = "0" * 15  # an IMEI that no modem has, for the probe
MAX_CLIENT_ID: Final = 0xFFFF_FFFF


class DirectIpAccount(ListeningAccount, prefix="SATBRIDGE_DIRECTIP_"):
    """A reseller's provisioning: Iridium connects to `listen`, and we to its `gateway` (host:port).

    Only `peers` (addresses and networks with commas) may connect: nothing else proves where a message comes from.
    `flush` empties a device's queue before each message: only the newest gets through, and never more than a part.
    `priority` 1 is the highest; without it, the gateway's 5. `credit_bytes` is for how many bytes your contract
    charges one unit; without it, nothing is counted.
    """

    gateway: ListenText
    peers: PeersText
    max_packet_bytes: Count = 270
    max_position_error_km: Annotated[float, Field(ge=0)] = 10
    max_connections: Count = 200
    credit_bytes: Count | None = None
    hold_seconds: Seconds = 1800
    flush: bool = False
    priority: Annotated[int, Field(ge=1, le=5)] | None = None

    def connect(self) -> "DirectIp":
        """Return the network of this account, without I/O."""
        return DirectIp(self)

    def packets(self, message: Message, codec: str, max_parts: int) -> list[bytes]:
        """As any account; one packet at most with `flush`, since each would empty the queue of those before it."""
        return super().packets(message, codec, 1 if self.flush else max_parts)

    async def serve(self, take: Take) -> DirectIpServer:
        """Listen, and hand over what comes; returns when it listens. Raises OSError when it cannot."""
        server = DirectIpServer(
            take,
            peers=self.peers,
            timeout_seconds=self.timeout_seconds,
            max_connections=self.max_connections,
            max_error_km=self.max_position_error_km,
        )
        await server.start(Listen.parse(self.listen))
        return server


class DirectIp:
    """The gateway for messages to devices: a connection for each. It never says what arrived."""

    def __init__(self, account: DirectIpAccount) -> None:
        self._account = account

    async def send(self, serial: str, packet: bytes) -> SubmittedPart:
        """Queue one packet for the device with this IMEI; never repeats by itself.

        Returns the gateway's id, and the units that it charges if they are known. Raises Rejected, Unavailable, or
        Uncertain.
        """
        account = self._account
        if len(packet) > account.max_packet_bytes:
            raise Rejected(f"{len(packet)} bytes are too long for one packet of this network")
        if not is_imei(serial):
            raise Rejected("the device's serial is not an IMEI, which this network needs")
        flags = Flags.FLUSH if account.flush else Flags(0)
        auto_id, status = await self._asked(serial, packet, flags, account.priority)
        error = failure_of(status, account.hold_seconds)
        if error is not None:
            raise error
        units = credits_for(len(packet), account.credit_bytes) if account.credit_bytes else None
        return SubmittedPart(str(auto_id), units)

    async def check(self) -> None:
        """Return when the gateway takes us, which a message without content to no device shows. Raises Unavailable."""
        try:
            _, status = await self._asked(NO_DEVICE, b"", Flags(0), None)
        except Uncertain as error:
            raise Unavailable(error.reason) from None
        failure = probe_failure(status)
        if failure is not None:
            raise failure

    async def aclose(self) -> None:
        """There is nothing to let go of: each message has a connection of its own."""

    async def _asked(
        self, imei: str, packet: bytes, flags: Flags, priority: int | None
    ) -> tuple[int, int]:
        """Return the gateway's id and status for one message. Raises Unavailable or Uncertain."""
        client_id = secrets.randbelow(MAX_CLIENT_ID) + 1
        frame = request(client_id, imei, packet, flags, priority)
        return status_of(await self._exchanged(frame), client_id, imei)

    async def _exchanged(self, frame: bytes) -> bytes:
        """Return what the gateway answers to a frame, within the time-out as a whole."""
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
                return await _frame(reader)
        except TimeoutError:
            raise Uncertain("the satellite network did not answer in time") from None
        except (OSError, EOFError):
            raise Uncertain("the connection to the satellite network broke") from None
        finally:
            writer.close()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    start = await reader.readexactly(START_BYTES)
    try:
        length = body_bytes(start)
    except Malformed:
        raise Uncertain(UNREADABLE) from None
    return start + await reader.readexactly(length)
