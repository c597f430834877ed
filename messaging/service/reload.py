"""Reads the settings of a running gateway again: applies those that can change while it runs, and names the others."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from messaging.config.account import Account
from messaging.config.env import Section
from messaging.errors import ConfigurationError
from messaging.gateway import Gateway, read_gateway
from messaging.mail.smtp.tls import load_certificate
from messaging.store.live_settings import LIVE_FIELDS

log = logging.getLogger(__name__)

LOG_LEVEL = "SATBRIDGE_LOG_LEVEL"
REFUSED = "nothing was reloaded"


class Reloader:
    """Knows the settings that the gateway runs with.

    `set_level` applies another log level, and `set_limits` the values of `LIVE_FIELDS` that differ from the start's.
    """

    def __init__(
        self,
        gateway: Gateway,
        set_level: Callable[[str], None],
        set_limits: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._gateway = gateway
        self._set_level = set_level
        self._set_limits = set_limits
        self._at_start = gateway.settings

    def reload(self) -> str:
        """Read `.env` and the files that variables name again, and return what has changed; log it too.

        A wrong value, or a certificate that cannot be used, changes nothing.
        """
        try:
            new = read_gateway()
            certificate = load_certificate(new.smtp)
        except ConfigurationError as error:
            text = f"{REFUSED}: {error}"
            log.error("%s", text)
            return text
        said = []
        level, variables = new.settings.log_level, set(differences(self._gateway, new))
        if level != self._gateway.settings.log_level:
            self._set_level(level)
            said.append(f"the log level is {level} now")
        live = {name: getattr(new.settings, name) for name in sorted(LIVE_FIELDS)}
        if applied := variables & {new.settings.variables()[name] for name in live}:
            start = self._at_start
            self._set_limits({name: v for name, v in live.items() if v != getattr(start, name)})
            said.append(f"applied: {', '.join(sorted(applied))}")
        settings = self._gateway.settings.model_copy(update={"log_level": level, **live})
        self._gateway = replace(self._gateway, settings=settings)
        if certificate:
            said.append(f"the certificate of the mail port ends on {certificate.expires:%Y-%m-%d}")
        if rest := sorted(variables - applied - {LOG_LEVEL}):
            said.append(f"needs a restart: {', '.join(rest)}")
        text = "; ".join(said) or "nothing has changed"
        log.warning("reloaded: %s", text)
        return text


def differences(old: Gateway, new: Gateway) -> Iterator[str]:
    """Return the variables of the settings that differ between two gateways."""
    parts: chain[tuple[Section | None, Section | None]] = chain(
        ((old.settings, new.settings), (old.smtp, new.smtp)),
        ((old.relay, new.relay), (old.pod_label, new.pod_label)),
        _pairs(old.satellites, new.satellites),
        _pairs(old.sms, new.sms),
    )
    for before, after in parts:
        either = after or before
        if either is None:
            continue
        for field in type(either).model_fields:
            if getattr(before, field, None) != getattr(after, field, None):
                if isinstance(either, Account):
                    yield either.variable(field)
                else:
                    yield either.variables()[field]


def _pairs(
    old: Mapping[str, Section], new: Mapping[str, Section]
) -> Iterator[tuple[Section | None, Section | None]]:
    return ((old.get(name), new.get(name)) for name in {**old, **new})
