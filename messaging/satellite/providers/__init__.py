"""The satellite providers, by name: to add one, write its file here and name its account below."""

from collections.abc import Mapping
from types import MappingProxyType

from messaging.satellite.account import SatelliteAccount
from messaging.satellite.providers.cloudloop.account import CloudloopAccount
from messaging.satellite.providers.directip.account import DirectIpAccount
from messaging.satellite.providers.garmin.account import GarminAccount
from messaging.satellite.providers.hive.account import HiveAccount
from messaging.satellite.providers.rockblock.account import RockblockAccount
from messaging.satellite.providers.sbdmail.account import SbdMailAccount
from messaging.satellite.providers.spot.account import SpotAccount

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
