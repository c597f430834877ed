"""How many connections, and how many bytes of unfinished mail, the SMTP server bears. No I/O."""

import ipaddress
from collections import Counter


class ByteBudget:
    """The bytes that all sessions together may hold."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.used = 0

    def take(self, count: int) -> bool:
        """Take `count` bytes if they are there."""
        if self.used + count > self._max_bytes:
            return False
        self.used += count
        return True

    def give_back(self, count: int) -> None:
        """Return bytes that were taken."""
        self.used -= count


class ConnectionLimits:
    """Counts connections in all, and per client."""

    def __init__(self, max_connections: int, max_per_client: int) -> None:
        self._max_connections = max_connections
        self._max_per_client = max_per_client
        self._clients: Counter[str] = Counter()
        self.open = 0

    def enter(self) -> bool:
        """Count one connection, unless there are as many as there may be."""
        if self.open >= self._max_connections:
            return False
        self.open += 1
        return True

    def leave(self) -> None:
        """One connection less."""
        self.open -= 1

    def enter_client(self, address: str) -> bool:
        """Count one connection of a client, unless it has as many as it may have."""
        client = _client(address)
        if self._clients[client] >= self._max_per_client:
            return False
        self._clients[client] += 1
        return True

    def leave_client(self, address: str) -> None:
        """One connection of this client less."""
        client = _client(address)
        self._clients[client] -= 1
        if self._clients[client] <= 0:
            del self._clients[client]


def _client(address: str) -> str:
    """One client is one IPv4 address or one IPv6 network of 64 bits, which is what a single customer gets."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((int(ip) >> 64 << 64, 64)))
