"""The errors of the gateway, and their meaning for the source of a message.

GatewayError
├── Rejected          permanent: the same message will be refused again                (SMTP 550)
│   ├── OptedOut      permanent for every message of this sender: the recipient opted out
│   └── AuthorRefused permanent: this recipient refuses the author, others may accept   (SMTP 550)
├── Unavailable       temporary: the same message may be accepted later                (SMTP 451, HTTP 503)
│   ├── Busy          temporary: a limit is reached that passes by itself              (SMTP 452, HTTP 503)
│   └── AccountBlocked  temporary: nothing can be sent by the account until an operator acts
├── Uncertain         unknown: the connection broke after the request was written
└── NotBegun          nothing was tried: no time was left to begin, or to go on
ConfigurationError    a setting is missing or wrong; the text names it

The text of a `GatewayError` is for people: it goes into the history of a message and, for `Rejected`, to the peer. It
never holds a secret, an address of a machine or a traceback. Every other exception is a bug: the peer gets a general
text, and the log the detail.
"""

from functools import partial
from typing import Any


class GatewayError(Exception):
    """A failure whose text may be shown to people."""

    for_people = True

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Rejected(GatewayError):
    """The message can never be accepted, or never be sent."""


class OptedOut(Rejected):
    """The recipient refuses all messages from this sender, so none is tried any more."""


class AuthorRefused(Rejected):
    """The recipient refuses messages of this author; other recipients of the same mail may accept them."""


class Unavailable(GatewayError):
    """The message cannot be accepted or sent now. `retry_after_seconds` is the wait that the peer asked for."""

    def __init__(self, reason: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds

    def __reduce__(self) -> tuple[type, tuple[str, float | None]]:
        """Keep both arguments when the error travels between processes."""
        return type(self), (self.reason, self.retry_after_seconds)


class Busy(Unavailable):
    """A limit is reached (connections, recipients, waiting messages) that passes by itself."""


class AccountBlocked(Unavailable):
    """The account can send nothing until an operator acts: log-in, credit, policy or TLS. No fault of the recipient.

    `action` says in words where the operator has to act. `is_doubtful`: the same answer may be about this recipient
    only.
    """

    def __init__(
        self,
        reason: str,
        action: str,
        retry_after_seconds: float | None = None,
        *,
        is_doubtful: bool = False,
    ) -> None:
        super().__init__(reason, retry_after_seconds)
        self.action = action
        self.is_doubtful = is_doubtful

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep all arguments when the error travels between processes."""
        make = partial(type(self), is_doubtful=self.is_doubtful)
        return make, (self.reason, self.action, self.retry_after_seconds)


class Uncertain(GatewayError):
    """The request was written and never answered: it may have taken effect."""


class NotBegun(GatewayError):
    """No request was begun, or no further one: nothing failed, and nothing is uncertain."""


class ConfigurationError(Exception):
    """A setting is missing or wrong, or several are. Each text names its setting and is for the operator."""

    for_people = True

    @property
    def problems(self) -> tuple[str, ...]:
        """One sentence for each wrong setting."""
        return tuple(map(str, self.args))

    def __str__(self) -> str:
        return "; ".join(self.problems)


INTERNAL_ERROR = "internal error in the gateway; it will be tried again"
"""The reason of what a bug has held up, wherever people read one."""
