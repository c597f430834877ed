"""Finds variables that look like settings and are none, so that a misspelt setting is not silently ignored."""

import re
from difflib import get_close_matches

from messaging.config.account import Account, account_prefixes
from messaging.config.env import variables_given
from messaging.config.variables import PREFIX
from messaging.gateway import sections

SIMILARITY = 0.85
# Kubernetes gives these to every container for Services whose names begin with ours.
_OF_A_SERVICE = re.compile(r"_(SERVICE_(HOST|PORT\w*)|PORT|PORT_[0-9]+_\w+)$")


def unknown_settings() -> list[str]:
    """Return a sentence about each variable that has the settings' prefix and that nothing reads.

    Looks at the environment and at `.env`.
    """
    known = {
        variable
        for section in sections()
        for prefix in (account_prefixes(section) if issubclass(section, Account) else [None])
        for variable in section.variables(prefix).values()
    }
    sentences = []
    for name in sorted(variables_given()):
        base = name.removesuffix("_FILE")
        if name.startswith(PREFIX) and base not in known and not _OF_A_SERVICE.search(name):
            similar = get_close_matches(base, known, n=1, cutoff=SIMILARITY)
            hint = f"; did you mean {similar[0]}?" if similar else ""
            sentences.append(f"{name} is no setting, and is ignored{hint}")
    return sentences
