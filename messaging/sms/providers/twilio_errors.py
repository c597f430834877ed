"""What Twilio's error codes mean for a message: the one table, and the one place where its exceptions become ours.

Codes and classes: Twilio's error dictionary, https://www.twilio.com/docs/api/errors
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from messaging.errors import ConfigurationError, GatewayError, OptedOut, Rejected, Unavailable

log = logging.getLogger(__name__)

_HOUR = 3600.0
_SID = "SATBRIDGE_TWILIO_ACCOUNT_SID"
_TOKEN = "SATBRIDGE_TWILIO_AUTH_TOKEN"  # noqa: S105 (the name of a setting, not a secret)
_NUMBER = "the subscriber's number"


class Kind(Enum):
    """Whom a refusal is about, and so what helps."""

    PERMANENT = "permanent"
    OPTED_OUT = "opted out"
    CONFIGURATION = "configuration"
    PASSING = "passing"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a refusal says, in plain words; `setting` is what the operator has to look at."""

    kind: Kind
    reason: str
    retry_after_seconds: float | None = None
    setting: str = ""

    def error(self) -> GatewayError:
        """The error that a sender raises for it."""
        if self.kind is Kind.PERMANENT:
            return Rejected(self.reason)
        if self.kind is Kind.OPTED_OUT:
            return OptedOut(self.reason)
        return Unavailable(self.reason, self.retry_after_seconds)


def _never(reason: str) -> Meaning:
    return Meaning(Kind.PERMANENT, reason)


def _later(reason: str, seconds: float | None = None) -> Meaning:
    return Meaning(Kind.PASSING, reason, seconds)


def _setting(reason: str, setting: str) -> Meaning:
    return Meaning(Kind.CONFIGURATION, reason, 600, setting)


MEANINGS: Final[Mapping[int, Meaning]] = MappingProxyType(
    {
        21211: _never("the recipient's number is not a valid phone number"),
        21265: _never("the recipient is a short code, which cannot receive texts"),
        21266: _never("the recipient's number is the one that the text would come from"),
        21408: _never("texts to the recipient's country are not enabled for this gateway"),
        21610: Meaning(
            Kind.OPTED_OUT, "the recipient has opted out by replying STOP to this number"
        ),
        21612: _never("there is no route for texts to the recipient's number"),
        21614: _never("the recipient's number is not a mobile number"),
        21635: _never("the recipient's number is a landline"),
        30004: _never("the recipient's number is blocked"),
        30005: _never("the recipient's number is unknown or no longer in service"),
        30006: _never("the recipient's number is a landline or its network cannot be reached"),
        21617: _never("the text is too long for one SMS"),
        21619: _never("the text is empty"),
        30007: _never("the mobile network filtered the text out as unwanted"),
        30450: _never("the text was stopped by the protection against SMS fraud"),
        30036: _never("the text could not be delivered before it expired"),
        20003: _setting("the gateway's SMS account was not recognised", f"{_SID} and {_TOKEN}"),
        20404: _setting("the gateway's SMS account was not found", _SID),
        21212: _setting("the gateway's sending number is not valid", _NUMBER),
        21606: _setting("the gateway's sending number cannot send texts", _NUMBER),
        21608: _setting("the gateway's SMS account is a trial for verified recipients", _SID),
        30002: _setting("the gateway's SMS account is suspended", _SID),
        30032: _setting("the gateway's toll-free number is not verified yet", _NUMBER),
        30034: _setting("the gateway's number is not registered for texts (10DLC)", _NUMBER),
        20429: _later("the SMS provider asked for fewer requests"),
        21611: _later("too many texts are waiting at the sending number", 60),
        30001: _later("too many texts are waiting at the SMS provider", 60),
        30003: _later("the recipient's phone is switched off or out of reach", 2 * _HOUR),
        30008: _later("the mobile network failed for an unknown reason", 600),
    }
)


def meaning(code: object, status: object) -> Meaning:
    """Return what an error code, or else the HTTP status of the answer, means. Unknown means temporary."""
    known = MEANINGS.get(code) if isinstance(code, int) else None
    if known:
        return known
    if status in (401, 403):
        return MEANINGS[20003]
    if status == 404:
        return MEANINGS[20404]
    if isinstance(status, int) and 300 <= status < 400:
        return _setting(
            "the SMS provider is not at the configured address", "SATBRIDGE_TWILIO_API_URL"
        )
    return _later(f"the SMS provider refused it for now (error {_number(code) or _number(status)})")


def _number(value: object) -> str:
    """The value when it is a number: what else stands there was written by somebody else."""
    return str(value) if isinstance(value, int) else ""


def report(found: Meaning) -> GatewayError:
    """Return the error for a refused message; the operator reads in the log which setting is to blame."""
    if found.kind is Kind.CONFIGURATION:
        log.error("Twilio refused a text: %s; check %s", found.reason, found.setting)
    return found.error()


def report_probe(found: Meaning) -> Exception:
    """Return the error for a refused probe of the account."""
    if found.kind is Kind.CONFIGURATION:
        return ConfigurationError(f"{found.setting}: {found.reason}")
    return found.error()
