"""From which addresses a network may bring messages, where nothing else proves that they are its own. Pure."""

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated

from pydantic import AfterValidator


def _peers(text: str) -> str:
    if not _networks(text):
        raise ValueError("must be addresses or networks such as 192.0.2.0/24, with commas")
    return text


PeersText = Annotated[str, AfterValidator(_peers)]
"""A setting of addresses and networks such as `192.0.2.0/24`, with commas between them."""


def is_peer(address: str, peers: str) -> bool:
    """Whether one of `peers` has this address; an IPv4 address may be written as IPv6."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return any(found in network for network in _networks(peers))


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())
