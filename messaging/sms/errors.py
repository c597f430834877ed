"""The meanings of a provider's refusals: the classes, the errors and the words that all providers share."""

from dataclasses import dataclass
from enum import Enum

from messaging.errors import (
    AccountBlocked,
    ConfigurationError,
    GatewayError,
    OptedOut,
    Rejected,
    Unavailable,
    Uncertain,
)

SETTING_RETRY_SECONDS = 600.0
"""How long to wait where only the operator can help."""
LATE_RETRY_SECONDS = 600.0
"""How long to wait before another try of a text that was taken and lost, where the table does not say."""


class Kind(Enum):
    """The cause of a refusal, which decides how it is handled."""

    PERMANENT = "permanent"
    OPTED_OUT = "opted out"
    CONFIGURATION = "configuration"
    PASSING = "passing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of a refusal, in plain words; `setting` names the setting that the operator has to check."""

    kind: Kind
    reason: str
    retry_after_seconds: float | None = None
    setting: str = ""

    @property
    def late_retry_seconds(self) -> float | None:
        """How long to wait before another try of a text that had been taken; None: no other try."""
        if self.kind is not Kind.PASSING:
            return None
        return self.retry_after_seconds or LATE_RETRY_SECONDS

    def error(self) -> GatewayError:
        """Return the error that a sender raises for it."""
        match self.kind:
            case Kind.PERMANENT:
                return Rejected(self.reason)
            case Kind.OPTED_OUT:
                return OptedOut(self.reason)
            case Kind.UNKNOWN:
                return Uncertain(self.reason)
            case Kind.CONFIGURATION:
                action = f"check {self.setting}"
                return AccountBlocked(self.reason, action, self.retry_after_seconds)
        return Unavailable(self.reason, self.retry_after_seconds)


def never(reason: str) -> Meaning:
    """The text can never be sent."""
    return Meaning(Kind.PERMANENT, reason)


def opt_out() -> Meaning:
    """The recipient has opted out of texts from the number."""
    return Meaning(Kind.OPTED_OUT, "the recipient has opted out by replying STOP to this number")


def later(reason: str, seconds: float | None = None) -> Meaning:
    """The text may be sent in a while."""
    return Meaning(Kind.PASSING, reason, seconds)


def wrong_setting(reason: str, setting: str) -> Meaning:
    """The text may be sent when the operator has done something."""
    return Meaning(Kind.CONFIGURATION, reason, SETTING_RETRY_SECONDS, setting)


def unknown(reason: str) -> Meaning:
    """The provider cannot say whether the text arrived."""
    return Meaning(Kind.UNKNOWN, reason)


def report_probe(found: Meaning) -> Exception:
    """Return the error for a refused probe of the account."""
    if found.kind is Kind.CONFIGURATION:
        return ConfigurationError(f"{found.setting}: {found.reason}")
    return found.error()
