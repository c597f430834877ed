"""The Swarm Hive: the settings of an account, and its wiring.

The service ended in March 2025; the API is known from its clients (message-backend-ray, SwarmSpaceAzureIoTConnector).
"""

from pydantic import SecretStr

from messaging.satellite.account import (
    Count,
    Seconds,
    SerialSyntax,
)
from messaging.satellite.http_client import HttpUrl
from messaging.satellite.poller import PolledAccount
from messaging.satellite.providers.hive.client import Hive


class HiveAccount(PolledAccount, prefix="SATBRIDGE_HIVE_"):
    """An account at a Hive. `url` ends before `/login`; `login_pause_seconds` pass between two logins."""

    serials = SerialSyntax.NUMBER

    url: HttpUrl
    username: str
    password: SecretStr
    organization_id: int | None = None
    application_id: int = 1
    device_type: int = 1
    max_packet_bytes: Count = 192
    login_pause_seconds: Seconds = 10

    def connect(self) -> Hive:
        """Return the client of this account, without I/O."""
        return Hive(self)
