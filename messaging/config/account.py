"""An account at a provider: one of several that the same provider may have, told apart by their names."""

from typing import TypeVar

from pydantic import PrivateAttr

from messaging.config.env import Section, read, read_if_set
from messaging.errors import ConfigurationError

MAX_NAME_CHARACTERS = 16


class Account(Section):
    """The settings of one account. A provider is a subclass with a prefix of its own: `SATBRIDGE_<PROVIDER>_`.

    `accounts` names further accounts of the provider, with commas: `north` has its settings in
    `SATBRIDGE_<PROVIDER>_NORTH_…` and is called `<provider>-north`.
    """

    accounts: str = ""

    _name: str = PrivateAttr(default="")
    _prefix: str = PrivateAttr(default="")

    @classmethod
    def provider(cls) -> str:
        """The name of the provider, as in its prefix."""
        return str(cls.model_config["env_prefix"]).removeprefix("SATBRIDGE_").strip("_").lower()

    @property
    def name(self) -> str:
        """What messages and devices call the account (their `via`, their `network`)."""
        return self._name or self.provider()

    def variable(self, field: str) -> str:
        """Return the environment variable of one of its fields."""
        return self.variables(self._prefix or None)[field]


A = TypeVar("A", bound=Account)


class _Further(Section):
    """The one setting that is read before it is known whether the provider is switched on."""

    accounts: str = ""


def read_accounts(account: type[A]) -> dict[str, A]:
    """Read all accounts of a provider, by name; none when it is off. Raises ConfigurationError naming variables."""
    found = {}
    first = read_if_set(account)
    if first is not None:
        found[first.name] = first
    for name in _further(account):
        prefix = _further_prefix(account, name)
        further = read(account, prefix=prefix)
        further._name, further._prefix = f"{account.provider()}-{name}", prefix
        found[further.name] = further
    return found


def account_names(account: type[Account]) -> list[str]:
    """Return the names that accounts of a provider can have, whether it is switched on or not."""
    provider = account.provider()
    return [provider, *(f"{provider}-{name}" for name in _further(account))]


def account_prefixes(account: type[Account]) -> list[str]:
    """Return what the variables of each account of a provider begin with."""
    first = str(account.model_config["env_prefix"])
    return [first, *(_further_prefix(account, name) for name in _further(account))]


def _further_prefix(account: type[Account], name: str) -> str:
    return f"{account.model_config['env_prefix']}{name.upper()}_"


def _further(account: type[Account]) -> list[str]:
    prefix = str(account.model_config["env_prefix"])
    names = [name.strip().lower() for name in read(_Further, prefix=prefix).accounts.split(",")]
    for name in names:
        if name and not (name.isascii() and name.isalnum() and len(name) <= MAX_NAME_CHARACTERS):
            raise ConfigurationError(f"{prefix}ACCOUNTS: {name!r} must be letters and digits")
    return [name for name in dict.fromkeys(names) if name]
