"""The interface of a provider to the tables: its simulator on a real socket, and accounts there."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from messaging.satellite.account import SatelliteAccount
from messaging.simulator.shared.faults import Faults
from messaging.sms.account import SmsAccount
from tests.support.sms.fetching import MemoryStore

AnyAccount = SatelliteAccount | SmsAccount

SECRET = "a-secret-that-no-log-may-contain"
"""The value of every secret in the settings of a stand, if the provider allows it."""

TEXT = "meet me at the old pier"
"""The text of messages, which no log may contain."""


@dataclass(frozen=True, kw_only=True)
class Stand:
    """One running provider. The account has long time-outs and short poll intervals.

    `unreachable` is an account at a closed port, `refused` one with a wrong secret (None without secrets). `arrived`
    counts the messages that the provider has accepted; None if it carries nothing to devices. `uplink` sends a text
    from a device or a phone, once: it returns after the provider's call, or at once if the provider is polled. `taken`
    counts the acknowledged uplinks. `point_at` sets the address of the gateway: the URL of its webhook, or host:port.
    With a `fetch_store` no webhook reaches the gateway, which fetches the texts from a list.
    """

    account: AnyAccount
    unreachable: AnyAccount
    refused: AnyAccount | None
    recipient: str
    faults: Callable[[Faults], None]
    arrived: Callable[[], int] | None
    uplink: Callable[[str], None]
    taken: Callable[[], int]
    point_at: Callable[[str], None] = lambda where: None
    fetch_store: MemoryStore | None = None


MakeStand = Callable[[], AbstractContextManager[Stand]]
