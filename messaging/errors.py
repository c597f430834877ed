"""What can go wrong with a message, and what that means for whoever offered it.

GatewayError
├── Rejected          never: offering the same message again cannot help          (SMTP 550)
│   └── OptedOut      never, nor any other text from this sender: the recipient asked for it
├── Unavailable       later: the same message may well be taken in a while        (SMTP 451, HTTP 503)
│   └── Busy          later: a limit is reached that passes by itself             (SMTP 452, HTTP 503)
└── Uncertain         nobody knows: the connection broke after the request was written
ConfigurationError    the operator has to change a setting; says which one

The text of a `GatewayError` is written for people: it goes into the history of a message and, for
`Rejected`, to the peer. It never holds a secret, an address of a machine or a traceback. Anything
that is not a `GatewayError` is a bug: peers get generic words and the log has the detail.
"""


class GatewayError(Exception):
    """A failure whose text may be shown to people."""

    for_people = True

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Rejected(GatewayError):
    """The message can never be taken, or never be sent."""


class OptedOut(Rejected):
    """The recipient wants nothing more from this sender, so no later message to them shall be tried."""


class Unavailable(GatewayError):
    """The message cannot be taken or sent now; `retry_after_seconds` is the peer's own wish, if it had one."""

    def __init__(self, reason: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds

    def __reduce__(self) -> tuple[type, tuple[str, float | None]]:
        """Keep both arguments when the error travels between processes."""
        return type(self), (self.reason, self.retry_after_seconds)


class Busy(Unavailable):
    """A limit is reached (connections, recipients, waiting messages) that will pass."""


class Uncertain(GatewayError):
    """The request was written and the answer never came: it may or may not have taken effect."""


class ConfigurationError(Exception):
    """A setting is missing or wrong. The text names the setting and is meant for the operator."""

    for_people = True
