"""Finds variables that look like settings and are none, so that a misspelt setting is not silently ignored."""

import re

from messaging.config.account import Account, account_prefixes
from messaging.config.env import variables_given
from messaging.gateway import sections

# Kubernetes gives these to every container for Services whose names begin with ours.
_OF_A_SERVICE = re.compile(r"_(SERVICE_(HOST|PORT\w*)|PORT|PORT_[0-9]+_\w+)$")


def unknown_settings() -> list[str]:
    """Return variables of the environment and of `.env` that have the settings' prefix and that nothing reads."""
    known = {
        variable
        for section in sections()
        for prefix in (account_prefixes(section) if issubclass(section, Account) else [None])
        for variable in section.variables(prefix).values()
    }
    given = (name for name in variables_given() if name.startswith("SATBRIDGE_"))
    return sorted(
        name
        for name in given
        if name.removesuffix("_FILE") not in known and not _OF_A_SERVICE.search(name)
    )
