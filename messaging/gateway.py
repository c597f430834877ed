"""The settings of a gateway, and the networks that are switched on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

from messaging.config.account import account_names, account_prefixes, read_accounts
from messaging.config.env import Section, read, read_if_set, variables_given
from messaging.config.settings import Settings
from messaging.costs.amounts import UnitCounter
from messaging.errors import ConfigurationError
from messaging.mail.authentication.settings import (
    AuthenticationSettings,
    DkimSettings,
    DnsSettings,
)
from messaging.mail.relay import Relay
from messaging.mail.send import RelaySubmitter
from messaging.mail.smtp.pod_readiness import PodLabel
from messaging.mail.smtp.settings import SmtpSettings
from messaging.model.device_serial import DeviceNetwork
from messaging.model.message import Network
from messaging.satellite.account import MailedAccount, SatelliteAccount, SatelliteUnits
from messaging.satellite.providers import ACCOUNTS as SATELLITE_ACCOUNTS
from messaging.sending.user_operators import find_user_operators
from messaging.sms.account import SmsAccount
from messaging.sms.providers import ACCOUNTS as SMS_ACCOUNTS
from messaging.store.accept.routing import Policy
from messaging.store.outgoing.countries import CountryRule

T = TypeVar("T")

MAIL = "smtp"
"""The account name of outgoing mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """All settings that the pipeline depends on, read once. It has the networks that are switched on only.

    `holder` is the name of this service among those that share the store.
    """

    settings: Settings
    smtp: SmtpSettings
    dns: DnsSettings = field(default_factory=DnsSettings)
    authentication: AuthenticationSettings = field(default_factory=AuthenticationSettings)
    dkim: DkimSettings = field(default_factory=DkimSettings)
    relay: Relay | None = None
    pod_label: PodLabel | None = None
    satellites: Mapping[str, SatelliteAccount] = field(default_factory=dict)
    sms: Mapping[str, SmsAccount] = field(default_factory=dict)
    holder: str = field(default_factory=lambda: uuid4().hex)

    def __post_init__(self) -> None:
        find_user_operators(self.settings.steps or "")
        parts = (self.relay, *self.satellites.values(), *self.sms.values())
        longest = max((part.timeout_seconds for part in parts if part), default=0)
        # A sender starts no attempt that might outlive its lease, so with a shorter lease it would start none.
        if self.settings.lease_seconds < 2 * longest:
            raise ConfigurationError(
                f"SATBRIDGE_LEASE_SECONDS: must be {2 * longest:g} or more,"
                " twice the longest time-out of any network"
            )
        if self.settings.ray_address and self.settings.http != "serve":
            raise ConfigurationError(
                "SATBRIDGE_HTTP: must be serve on a Ray cluster that is joined"
            )
        if self.settings.runtime == "inline":
            if self.settings.ray_address:
                raise ConfigurationError(
                    "SATBRIDGE_RUNTIME: must be ray on a Ray cluster that is joined"
                )
            if self.settings.http == "haproxy":
                raise ConfigurationError("SATBRIDGE_HTTP: haproxy needs SATBRIDGE_RUNTIME=ray")
        self._check_carriers()
        self._check_mailboxes()

    def _check_mailboxes(self) -> None:
        """Check accounts that use mails: each needs a relay, a longer time-out than it, and a mailbox of its own."""
        accounts = [one for one in self.satellites.values() if isinstance(one, MailedAccount)]
        patience = self.relay.timeout_seconds if self.relay else 0
        for number, account in enumerate(accounts):
            account.require_submitter()
            if account.timeout_seconds <= patience:
                raise ConfigurationError(
                    f"{account.variable('timeout_seconds')}: must be more than {patience:g},"
                    " the time-out of one answer of the relay"
                )
            if any(account.mailbox == other.mailbox for other in accounts[:number]):
                raise ConfigurationError(
                    f"{account.variable('mailbox')}: another account has this mailbox"
                )

    def _check_carriers(self) -> None:
        # A number belongs to one provider and no other can send from it, so the account is never guessed.
        carriers, names = self.settings.carriers, ", ".join(self.sms)
        unknown = sorted(set(carriers.values()) - set(self.sms))
        if unknown:
            raise ConfigurationError(
                f"SATBRIDGE_SMS_CARRIERS: {unknown[0]!r} is no SMS account; there is: {names or 'none'}"
            )
        if len(self.sms) > 1 and "*" not in carriers:
            raise ConfigurationError(
                f"SATBRIDGE_SMS_CARRIERS: say which of {names} carries the texts from which number,"
                f" such as *={next(iter(self.sms))}"
            )

    @property
    def default_accounts(self) -> Mapping[Network, str]:
        """The account of outgoing mail and that of outgoing texts. Each device names its own account.

        For texts from some numbers the settings' `carriers` name another account.
        """
        sms = self.settings.carriers.get("*") or next(iter(self.sms), None)
        accounts = {Network.EMAIL: MAIL if self.relay else None, Network.SMS: sms}
        return {network: name for network, name in accounts.items() if name}

    @property
    def policy(self) -> Policy:
        """The rules of routing."""
        settings = self.settings
        return Policy(
            settings.mail_domain,
            self.default_accounts,
            self.codecs,
            settings.operators,
            settings.carriers,
            settings.map_url,
            self.shared_accounts,
            self.satellite_providers,
            settings.devices_per_message == "all",
            CountryRule(settings.sms_country_list),
            self.whatsapp_accounts,
            self.unit_counters,
        )

    @property
    def unit_counters(self) -> Mapping[str, UnitCounter]:
        """The counters of the billed units of messages by satellite and SMS account."""
        parts = self.settings.satellite_max_parts
        satellites = {name: SatelliteUnits(one, parts) for name, one in self.satellites.items()}
        return {**satellites, **self.sms}

    @property
    def codecs(self) -> Mapping[str, str]:
        """The codec of each satellite account's devices that have none of their own."""
        return {name: str(account.codec) for name, account in self.satellites.items()}

    @property
    def satellite_providers(self) -> frozenset[str]:
        """The names of all satellite providers, also those without an account."""
        return frozenset(SATELLITE_ACCOUNTS)

    @property
    def shared_accounts(self) -> frozenset[str]:
        """The satellite accounts that packets of the provider's other customers reach too."""
        return frozenset(name for name, account in self.satellites.items() if account.is_shared)

    @property
    def whatsapp_accounts(self) -> frozenset[str]:
        """The SMS accounts that carry WhatsApp."""
        return frozenset(name for name, account in self.sms.items() if account.carries_whatsapp)

    @property
    def capacity(self) -> Mapping[str, int]:
        """The number of deliveries that each account's senders may have at once."""
        names = [*self.satellites, *self.sms, *([MAIL] if self.relay else [])]
        return dict.fromkeys(names, self.settings.max_claimed)


def read_gateway(**given: Any) -> Gateway:
    """Read all settings; shared ones that are given by name win. Raises ConfigurationError, which names each variable
    that is wrong or missing.
    """
    problems: list[str] = []

    def collect(read_part: Callable[[], T]) -> T | None:
        try:
            return read_part()
        except ConfigurationError as error:
            problems.extend(error.problems)
            return None

    settings = collect(lambda: read(Settings, **given))
    smtp = collect(lambda: read(SmtpSettings))
    dns = collect(lambda: read(DnsSettings))
    authentication = collect(lambda: read(AuthenticationSettings))
    dkim = collect(lambda: read(DkimSettings))
    relay = collect(lambda: read_if_set(Relay))
    pod_label = collect(lambda: read_if_set(PodLabel))
    satellites: dict[str, SatelliteAccount] = {}
    for satellite in SATELLITE_ACCOUNTS.values():
        satellites |= collect(partial(read_accounts, satellite)) or {}
    sms: dict[str, SmsAccount] = {}
    for provider in SMS_ACCOUNTS.values():
        sms |= collect(partial(read_accounts, provider)) or {}
    if problems or settings is None or smtp is None:
        raise ConfigurationError(*dict.fromkeys(problems))
    if relay is not None:
        submitter = RelaySubmitter(relay, settings.mail_domain)
        satellites |= {
            name: account.with_submitter(submitter, settings.mail_domain)
            for name, account in satellites.items()
            if isinstance(account, MailedAccount)
        }
    return Gateway(
        settings=settings,
        smtp=smtp,
        dns=dns or DnsSettings(),
        authentication=authentication or AuthenticationSettings(),
        dkim=dkim or DkimSettings(),
        pod_label=pod_label,
        relay=relay,
        satellites=satellites,
        sms=sms,
    )


def device_networks() -> dict[str, DeviceNetwork]:
    """Return the accounts that a device can have, also those that are off.

    A new device has the codec of its account where `…_CODEC` is set.
    """
    found = {}
    for account in SATELLITE_ACCOUNTS.values():
        names = zip(account_names(account), account_prefixes(account), strict=True)
        for name, prefix in names:
            is_set = account.variables(prefix)["codec"] in variables_given()
            codec = "" if is_set or account.new_codec is None else account.new_codec.value
            found[name] = DeviceNetwork(account.serials, codec)
    return found


def all_account_names() -> list[str]:
    """Return the names that accounts can have: outgoing mail, satellite networks and SMS, also those that are off."""
    sms = [name for account in SMS_ACCOUNTS.values() for name in account_names(account)]
    return [MAIL, *satellite_names(), *sms]


def satellite_names() -> list[str]:
    """Return the names that a device's account can have: every provider, and every further account that is named."""
    return [name for account in SATELLITE_ACCOUNTS.values() for name in account_names(account)]


def sections() -> tuple[type[Section], ...]:
    """Return every group of settings."""
    networks = (*SATELLITE_ACCOUNTS.values(), *SMS_ACCOUNTS.values())
    mail = (SmtpSettings, PodLabel, AuthenticationSettings, DnsSettings, Relay, DkimSettings)
    return (Settings, *mail, *networks)
