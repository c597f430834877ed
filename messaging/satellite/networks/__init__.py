"""The satellite providers, by name: to add one, write its file here and its line in `ACCOUNTS`."""

from collections.abc import Mapping
from types import MappingProxyType

from messaging.satellite.network import SatelliteAccount
from messaging.satellite.networks.hive import HiveAccount

ACCOUNTS: Mapping[str, type[SatelliteAccount]] = MappingProxyType({"hive": HiveAccount})
"""Provider name (the `via` of a message) → the settings of its account, which `connect()` to the network."""
