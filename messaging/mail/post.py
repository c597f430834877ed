"""Hands mails of satellite networks, which are written elsewhere, to the relay that outgoing mail leaves by."""

import time
from dataclasses import dataclass

from messaging.mail.compose import OutgoingMail
from messaging.mail.relay import Relay
from messaging.mail.relay_client import check_relay
from messaging.mail.send import RelaySession
from messaging.model.raw_mail import RawMail


@dataclass(frozen=True, slots=True)
class RelaySubmitter:
    """The relay of outgoing mail, for one mail at a time."""

    relay: Relay
    mail_domain: str

    def submit(self, mail: RawMail, seconds: float) -> str:
        """Hand one mail over within `seconds` and return what the relay said; as for any other mail.

        Raises Rejected, Unavailable, or Uncertain when it was written and nobody said whether it was taken.
        """
        outgoing = OutgoingMail(mail.sender, mail.recipient, mail.content, international=False)
        with RelaySession(self.relay, self.relay.hostname or self.mail_domain) as courier:
            return courier.deliver(outgoing, time.monotonic() + seconds)

    def check(self) -> None:
        """Try connection, TLS and log-in without sending. Raises Unavailable or ConfigurationError."""
        check_relay(self.relay)
