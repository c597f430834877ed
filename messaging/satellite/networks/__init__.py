"""The satellite providers, by name: to add one, write its file here and name its account below."""

from collections.abc import Mapping
from types import MappingProxyType

from messaging.satellite.network import SatelliteAccount
from messaging.satellite.networks.cloudloop import CloudloopAccount
from messaging.satellite.networks.directip import DirectIpAccount
from messaging.satellite.networks.garmin import GarminAccount
from messaging.satellite.networks.hive import HiveAccount
from messaging.satellite.networks.rockblock import RockblockAccount
from messaging.satellite.networks.sbdmail import SbdMailAccount
from messaging.satellite.networks.spot import SpotAccount

_PROVIDERS: tuple[type[SatelliteAccount], ...] = (
    HiveAccount,
    RockblockAccount,
    CloudloopAccount,
    GarminAccount,
    SpotAccount,
    DirectIpAccount,
    SbdMailAccount,
)

ACCOUNTS: Mapping[str, type[SatelliteAccount]] = MappingProxyType(
    {account.provider(): account for account in _PROVIDERS}
)
"""Provider name → the settings of its accounts, which `connect()` to the network."""
