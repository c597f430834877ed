"""An account at a provider. One provider may have several accounts, each with a name."""

from typing import TypeVar

from pydantic import PrivateAttr

from messaging.config.env import Section, entries_of, read, read_if_set
from messaging.errors import ConfigurationError

MAX_NAME_CHARACTERS = 16


class Account(Section):
    """The settings of one account. A provider is a subclass with a prefix of its own: `SATBRIDGE_<PROVIDER>_`.

    `accounts` lists further accounts of the provider, separated by commas. The account `north` has its settings in
    `SATBRIDGE_<PROVIDER>_NORTH_…` and the name `<provider>-north`.
    """

    accounts: str = ""

    _name: str = PrivateAttr(default="")
    _prefix: str = PrivateAttr(default="")

    @classmethod
    def provider(cls) -> str:
        """Return the name of the provider, in lower case, from its prefix."""
        return str(cls.model_config["env_prefix"]).removeprefix("SATBRIDGE_").strip("_").lower()

    @property
    def name(self) -> str:
        """The name of the account in messages (`via`), devices (`network`) and paths of webhooks."""
        return self._name or self.provider()

    def variable(self, field: str) -> str:
        """Return the environment variable of a field."""
        return self.variables(self._prefix or None)[field]


A = TypeVar("A", bound=Account)


class _FurtherNames(Section):
    """The list of further accounts, which is read whether or not the provider has a first account."""

    accounts: str = ""


def read_accounts(account: type[A]) -> dict[str, A]:
    """Return the accounts of a provider by name, none when it is off.

    Raises ConfigurationError, which names every wrong variable.
    """
    found, problems = dict[str, A](), list[str]()
    try:
        first = read_if_set(account)
        if first is not None:
            found[first.name] = first
    except ConfigurationError as error:
        problems += error.problems
    for name in _further_names(account):
        prefix = _further_prefix(account, name)
        try:
            further = read(account, prefix=prefix)
        except ConfigurationError as error:
            problems += error.problems
        else:
            further._name, further._prefix = f"{account.provider()}-{name}", prefix
            found[further.name] = further
    if problems:
        raise ConfigurationError(*problems)
    return found


def account_names(account: type[Account]) -> list[str]:
    """Return the names that accounts of a provider can have, also while the provider is off."""
    provider = account.provider()
    return [provider, *(f"{provider}-{name}" for name in _further_names(account))]


def account_prefixes(account: type[Account]) -> list[str]:
    """Return the prefix of the variables of each account of a provider."""
    first = str(account.model_config["env_prefix"])
    return [first, *(_further_prefix(account, name) for name in _further_names(account))]


def _further_prefix(account: type[Account], name: str) -> str:
    return f"{account.model_config['env_prefix']}{name.upper()}_"


def _further_names(account: type[Account]) -> list[str]:
    prefix = str(account.model_config["env_prefix"])
    names = entries_of(read(_FurtherNames, prefix=prefix).accounts.lower())
    for name in names:
        if not (name.isascii() and name.isalnum() and len(name) <= MAX_NAME_CHARACTERS):
            raise ConfigurationError(
                f"{prefix}ACCOUNTS: {name!r} must be at most {MAX_NAME_CHARACTERS} letters and digits"
            )
    return list(dict.fromkeys(names))
