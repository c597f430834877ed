"""The SMS providers that the gateway knows, by name. One line here registers one."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from messaging.sms.provider import SmsAccount
from messaging.sms.providers.bandwidth import BandwidthAccount
from messaging.sms.providers.twilio import TwilioAccount

_PROVIDERS: Final[tuple[type[SmsAccount], ...]] = (TwilioAccount, BandwidthAccount)

ACCOUNTS: Final[Mapping[str, type[SmsAccount]]] = MappingProxyType(
    {account.provider(): account for account in _PROVIDERS}
)
