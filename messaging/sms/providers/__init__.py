"""The SMS providers that the gateway knows, by name. One line here registers one."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from messaging.sms.account import SmsAccount
from messaging.sms.providers.bandwidth.account import BandwidthAccount
from messaging.sms.providers.twilio.account import TwilioAccount

_PROVIDERS: Final[tuple[type[SmsAccount], ...]] = (TwilioAccount, BandwidthAccount)

ACCOUNTS: Final[Mapping[str, type[SmsAccount]]] = MappingProxyType(
    {account.provider(): account for account in _PROVIDERS}
)
