"""What the simulated Twilio objects to in a send request, in the order in which Twilio looks."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from messaging.simulator.twilio.codes import (
    MAGIC_RECIPIENTS,
    MAGIC_SENDERS,
    is_found_out_later,
    provoked,
)
from messaging.simulator.twilio.texts import Texts

MAX_CHARACTERS = 1600
Form = dict[str, str]
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")


class Objections:
    """Those of one account. `numbers` are its own; None means that it owns every number.

    `services` are its messaging services, by sid, with the numbers in each.
    """

    def __init__(
        self,
        texts: Texts,
        numbers: Iterable[str] | None,
        services: Mapping[str, Iterable[str]] | None,
    ) -> None:
        self._texts = texts
        self._numbers = None if numbers is None else frozenset(numbers)
        self._services = {sid: tuple(pool) for sid, pool in (services or {}).items()}

    def sender(self, form: Form) -> str:
        """Return the number that a text leaves from: the one that is asked for, or the first of the service."""
        pool = self._services.get(form.get("MessagingServiceSid", ""), ())
        return form.get("From") or (pool[0] if pool else "")

    def first(self, form: Form) -> int | None:
        """Return the code of the first thing that is wrong with a send request."""
        return (
            self._wrong_service(form)
            or self._missing(form)
            or self._wrong_number(self.sender(form), form["To"])
        )

    def _wrong_service(self, form: Form) -> int | None:
        sid = form.get("MessagingServiceSid")
        if sid is None:
            return None
        if not sid.startswith("MG"):
            return 21705
        if sid not in self._services:
            return 21701
        if not self._services[sid]:
            return 21703
        return None if self.sender(form) in self._services[sid] else 21711

    def _missing(self, form: Form) -> int | None:
        if not form.get("To"):
            return 21604
        if not self.sender(form):
            return 21603
        if not form.get("Body") and not form.get("MediaUrl"):
            return 21619
        if "StatusCallback" in form and not _is_callable(form["StatusCallback"]):
            return 21609
        return 21617 if len(form.get("Body", "")) > MAX_CHARACTERS else None

    def _wrong_number(self, sender: str, recipient: str) -> int | None:
        code = provoked(sender, MAGIC_SENDERS) or provoked(recipient, MAGIC_RECIPIENTS)
        if code and not is_found_out_later(code):
            return code
        if not _PHONE.fullmatch(recipient):
            return 21211
        if not _PHONE.fullmatch(sender):
            return 21212
        if sender == recipient:
            return 21266
        if self._numbers is not None and sender not in self._numbers:
            return 21606
        return 21610 if self._texts.has_opted_out(recipient, sender) else None


def _is_callable(url: str) -> bool:
    """Whether Twilio takes this URL for its callbacks."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and host not in ("", "localhost") and "_" not in host
