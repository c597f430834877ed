"""The limits on open connections and on bytes of mails being received. No I/O."""

import ipaddress
from collections import Counter


class ByteBudget:
    """The bytes that all connections together may hold."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.used = 0

    def take(self, count: int) -> bool:
        """Take `count` bytes; return False, and take none, when fewer are left."""
        if self.used + count > self._max_bytes:
            return False
        self.used += count
        return True

    def give_back(self, count: int) -> None:
        """Return bytes that were taken."""
        self.used -= count


class ConnectionLimits:
    """Counts connections in total and per client."""

    def __init__(self, max_connections: int, max_per_client: int) -> None:
        self._max_connections = max_connections
        self._max_per_client = max_per_client
        self._clients: Counter[str] = Counter()
        self.open = 0

    def enter(self) -> bool:
        """Count one connection more; return False, and count none, at the limit."""
        if self.open >= self._max_connections:
            return False
        self.open += 1
        return True

    def leave(self) -> None:
        """Count one connection less."""
        self.open -= 1

    def enter_client(self, address: str) -> bool:
        """Count one connection more of a client; return False, and count none, at the limit."""
        client = _client_of(address)
        if self._clients[client] >= self._max_per_client:
            return False
        self._clients[client] += 1
        return True

    def leave_client(self, address: str) -> None:
        """Count one connection less of a client."""
        client = _client_of(address)
        self._clients[client] -= 1
        if self._clients[client] <= 0:
            del self._clients[client]


def _client_of(address: str) -> str:
    """Return the IPv4 address or the IPv6 network of 64 bits: providers assign one such network per customer."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((int(ip) >> 64 << 64, 64)))
