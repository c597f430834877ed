"""Allowlists of IP addresses, for peers that have no other authentication. Pure."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

LOOPBACK = "127.0.0.0/8,::1"


@lru_cache(64)
def networks_of(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Read addresses and networks, separated by commas. Raises ValueError, also when there are none."""
    found = tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())
    if not found:
        raise ValueError("must be addresses or networks such as 192.0.2.0/24, with commas")
    return found


def is_peer(address: str, peers: str) -> bool:
    """Whether an address is in `peers`; an IPv4 address may be written as IPv6."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return any(found in network for network in networks_of(peers))
