"""What this gateway is made of: its settings, and the networks that are switched on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from messaging.config.account import A, account_names, read_accounts
from messaging.config.env import Section, read, read_if_set
from messaging.config.settings import Settings, StoreLimits
from messaging.errors import ConfigurationError
from messaging.mail.relay import Relay
from messaging.mail.send import RelaySubmitter
from messaging.mail.smtp.pod_readiness import PodLabel
from messaging.mail.smtp.settings import SmtpSettings
from messaging.model.message import Network
from messaging.satellite.account import MailedAccount, SatelliteAccount
from messaging.satellite.providers import ACCOUNTS as SATELLITE_ACCOUNTS
from messaging.sending.user_operators import find_user_operators
from messaging.sms.account import SmsAccount
from messaging.sms.providers import ACCOUNTS as SMS_ACCOUNTS

MAIL = "smtp"
"""The name of outgoing mail among the providers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Everything that the declaration of the pipeline depends on. A network that is off is not in it.

    `holder` is the name of this service among those that share the store.
    """

    settings: Settings
    smtp: SmtpSettings
    relay: Relay | None = None
    pod_label: PodLabel | None = None
    satellites: Mapping[str, SatelliteAccount] = field(default_factory=dict)
    sms: Mapping[str, SmsAccount] = field(default_factory=dict)
    holder: str = field(default_factory=lambda: uuid4().hex)

    def __post_init__(self) -> None:
        find_user_operators(self.settings.steps or "")
        parts = (self.relay, *self.satellites.values(), *self.sms.values())
        longest = max((part.timeout_seconds for part in parts if part), default=0)
        # A sender begins nothing that might outlive its lease, so with less it would never begin.
        if self.settings.lease_seconds < 2 * longest:
            raise ConfigurationError(
                f"SATBRIDGE_LEASE_SECONDS: must be {2 * longest:g} or more,"
                " twice the longest time-out of any network"
            )
        self._check_carriers()
        self._check_mailboxes()

    def _check_mailboxes(self) -> None:
        """Mails of networks need a relay, patience for it, and a mailbox each."""
        accounts = [one for one in self.satellites.values() if isinstance(one, MailedAccount)]
        patience = self.relay.timeout_seconds if self.relay else 0
        for number, account in enumerate(accounts):
            account.require_submitter()
            if account.timeout_seconds <= patience:
                raise ConfigurationError(
                    f"{account.variable('timeout_seconds')}: must be more than {patience:g},"
                    " what one answer of the relay may take"
                )
            if any(account.mailbox == other.mailbox for other in accounts[:number]):
                raise ConfigurationError(
                    f"{account.variable('mailbox')}: another account has this mailbox"
                )

    def _check_carriers(self) -> None:
        """A number belongs to one provider, and no other can send from it; so nobody guesses which."""
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
        """Which provider carries what leaves by mail and by SMS. Devices name their own network.

        For texts from some numbers the settings' `carriers` name another one.
        """
        sms = self.settings.carriers.get("*") or next(iter(self.sms), None)
        found = {Network.EMAIL: MAIL if self.relay else None, Network.SMS: sms}
        return {network: via for network, via in found.items() if via}

    @property
    def codecs(self) -> Mapping[str, str]:
        """How the devices of each satellite network read and write that have no codec of their own."""
        return {name: str(account.codec) for name, account in self.satellites.items()}

    @property
    def capacity(self) -> Mapping[str, int]:
        """How many deliveries each provider's senders may be given at once."""
        names = [*self.satellites, *self.sms, *([MAIL] if self.relay else [])]
        return dict.fromkeys(names, self.settings.max_claimed)


def read_gateway(**given: Any) -> Gateway:
    """Read all settings; shared ones that are given by name win. Raises ConfigurationError, which names each variable
    that is wrong or missing.
    """
    settings, relay = read(Settings, **given), read_if_set(Relay)
    accounts = _all_accounts(SATELLITE_ACCOUNTS.values())
    return Gateway(
        settings=settings,
        smtp=read(SmtpSettings),
        pod_label=read_if_set(PodLabel),
        relay=relay,
        satellites={name: _with_submitter(one, relay, settings) for name, one in accounts.items()},
        sms=_all_accounts(SMS_ACCOUNTS.values()),
    )


def _with_submitter(
    account: SatelliteAccount, relay: Relay | None, settings: Settings
) -> SatelliteAccount:
    """Return an account that knows how its mails leave, if it writes any."""
    if not isinstance(account, MailedAccount) or relay is None:
        return account
    return account.with_submitter(RelaySubmitter(relay, settings.mail_domain), settings.mail_domain)


def _all_accounts(providers: Iterable[type[A]]) -> dict[str, A]:
    return {name: one for provider in providers for name, one in read_accounts(provider).items()}


def satellite_names() -> list[str]:
    """What the network of a device may be: every provider, and every further account that is named."""
    return [name for account in SATELLITE_ACCOUNTS.values() for name in account_names(account)]


def sections() -> tuple[type[Section], ...]:
    """Every group of settings that there is."""
    networks = (*SATELLITE_ACCOUNTS.values(), *SMS_ACCOUNTS.values())
    return (Settings, StoreLimits, SmtpSettings, PodLabel, Relay, *networks)
