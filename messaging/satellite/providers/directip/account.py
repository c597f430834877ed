"""Iridium SBD by DirectIP: the settings of an account, and its wiring.

Iridium SBD developer guide 3.0. `docs/networks/directip.md` lists the known facts and the open questions.
"""

from typing import Annotated

from pydantic import Field

from messaging.config.settings import Listen, ListenText
from messaging.model.message import Message
from messaging.satellite.account import (
    Codec,
    Count,
    ListeningAccount,
    PeersText,
    Seconds,
    SerialSyntax,
    Take,
)
from messaging.satellite.providers.directip.client import DirectIp
from messaging.satellite.providers.directip.server import DirectIpServer


class DirectIpAccount(ListeningAccount, prefix="SATBRIDGE_DIRECTIP_"):
    """A reseller's provisioning: Iridium connects to `listen`, and we to its `gateway` (host:port).

    Only `peers` (addresses and networks, separated by commas) may connect, because messages carry no authentication.
    `flush` empties a device's queue before each message: only the newest message gets through, and a message has one
    part at most. `priority` 1 is the highest; without it, the gateway uses 5. `credit_bytes` is the number of bytes in
    a billed unit of your contract; without it, nothing is counted.
    """

    serials = SerialSyntax.IMEI
    new_codec = Codec.TEXT

    gateway: ListenText
    peers: PeersText
    max_packet_bytes: Count = 270
    max_position_error_km: Annotated[float, Field(ge=0)] = 10
    max_connections: Count = 200
    credit_bytes: Count | None = None
    hold_seconds: Seconds = 1800
    flush: bool = False
    priority: Annotated[int, Field(ge=1, le=5)] | None = None

    @property
    def is_shared(self) -> bool:
        """Every customer of Iridium can have packets sent to this address, from the same servers."""
        return True

    def connect(self) -> DirectIp:
        """Return the client of this account, without I/O."""
        return DirectIp(self)

    def packets(self, message: Message, codec: str, max_parts: int) -> list[bytes]:
        """Cut as any account does; with `flush` into one packet at most, because each flush deletes the others."""
        return super().packets(message, codec, 1 if self.flush else max_parts)

    async def serve(self, take: Take) -> DirectIpServer:
        """Start the server that passes packets to `take`. Raises OSError when it cannot listen."""
        server = DirectIpServer(
            take,
            peers=self.peers,
            timeout_seconds=self.timeout_seconds,
            max_connections=self.max_connections,
            max_error_km=self.max_position_error_km,
        )
        await server.start(Listen.parse(self.listen))
        return server
