"""Sends mail: a batch of deliveries over one connection to the relay, each with its own outcome."""

import logging
import smtplib
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType

from messaging.errors import ConfigurationError, GatewayError, Rejected, Unavailable, Uncertain
from messaging.mail.compose import OutgoingMail, compose
from messaging.mail.dsn import compose_notice
from messaging.mail.relay import Relay
from messaging.mail.relay_client import (
    DeadlineSMTP,
    answer_error,
    connect,
    quit_quietly,
    said,
)
from messaging.model.message import Delivery, Outcome, SubmittedPart
from messaging.sending.attempt import lease_seconds_left, outcome_of

log = logging.getLogger(__name__)

SERVICE_NOT_AVAILABLE = 421  # RFC 5321 section 3.8: the server closes the connection


def send_mail(
    relay: Relay, mail_domain: str, deliveries: Sequence[Delivery]
) -> list[list[Outcome]]:
    """Send each delivery; return one list per delivery: its outcome, or nothing when its lease is (nearly) over.

    A send begins only while more than `timeout_seconds` of its lease are left, so that it ends within it. Promise:
    sent means that the relay took it; a mail whose last byte was written without an answer is `Uncertain`; whatever
    else goes wrong, the relay has not taken it. One mail's failure is never another's. Raises nothing.
    """
    with RelaySession(relay, relay.hostname or mail_domain) as courier:
        return [_attempt(courier, mail_domain, delivery) for delivery in deliveries]


def _attempt(courier: "RelaySession", mail_domain: str, delivery: Delivery) -> list[Outcome]:
    seconds = lease_seconds_left(delivery)
    if seconds <= courier.timeout_seconds:
        log.info("not enough of the lease left to send", extra={"message_id": delivery.message.id})
        return []
    try:
        mail = _written(delivery, mail_domain)
        answer = courier.deliver(mail, time.monotonic() + seconds)
    except Exception as error:
        return [outcome_of(delivery, error)]
    return [Outcome.sent(delivery, SubmittedPart(answer))]


def _written(delivery: Delivery, mail_domain: str) -> OutgoingMail:
    failure, now = delivery.message.failure, datetime.now(UTC)
    if failure is not None:
        return compose_notice(delivery, failure, mail_domain, now)
    return compose(delivery, mail_domain, now)


class _Lost(Exception):
    """The connection broke, or the relay ended it, before a mail was written; the relay has not taken it."""


class RelaySession:
    """Holds the connection to the relay: opened for the first mail, and again when it broke."""

    def __init__(self, relay: Relay, helo: str) -> None:
        self._relay = relay
        self._helo = helo
        self._smtp: DeadlineSMTP | None = None
        self._unreachable: GatewayError | None = None
        self.timeout_seconds = relay.timeout_seconds

    def __enter__(self) -> "RelaySession":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._smtp is not None:
            quit_quietly(self._smtp)

    def deliver(self, mail: OutgoingMail, until: float) -> str:
        """Hand a mail over and return what the relay said. Raises GatewayError."""
        reused = self._smtp is not None
        smtp = self._connected(until)
        try:
            return self._hand_over(smtp, mail)
        except _Lost as error:
            self._drop()
            if reused:  # a relay may end a connection between two mails; a fresh one tells whether it wants this
                return self.deliver(mail, until)
            raise Unavailable(str(error)) from None

    def _connected(self, until: float) -> DeadlineSMTP:
        if self._unreachable is not None:
            raise self._unreachable
        if self._smtp is None:
            try:
                self._smtp = connect(self._relay, self._helo, until)
            except GatewayError as error:
                self._unreachable = error
                raise
            except ConfigurationError as error:
                self._unreachable = Unavailable(str(error))
                raise self._unreachable from None
        self._smtp.until = until
        return self._smtp

    def _hand_over(self, smtp: DeadlineSMTP, mail: OutgoingMail) -> str:
        if mail.international and not smtp.has_extn("smtputf8"):
            raise Rejected("the mail server takes no addresses with international letters")
        smtp.command_encoding = "utf-8" if mail.international else "ascii"
        option = " SMTPUTF8" if mail.international else ""
        self._ask(smtp, f"MAIL FROM:<{mail.sender}>{option}", 250)
        self._ask(smtp, f"RCPT TO:<{mail.recipient}>", 250, 251)
        if smtp.seconds_left() < self.timeout_seconds:
            self._drop()
            raise Unavailable("the mail relay was too slow to be given the mail in time")
        self._ask(smtp, "DATA", 354)
        self._write(smtp, mail.content)
        return self._final_answer(smtp)

    def _ask(self, smtp: DeadlineSMTP, command: str, *good: int) -> None:
        try:
            code, text = smtp.docmd(command)
        except (OSError, smtplib.SMTPException):
            raise _Lost("the mail relay closed the connection or did not answer in time") from None
        if code == SERVICE_NOT_AVAILABLE:
            raise _Lost(f"the mail server said: {said(code, text)}")
        if code not in good:
            self._start_over(smtp, in_step=code > 0 and not (command == "DATA" and code < 400))
            raise answer_error(code, text)

    def _start_over(self, smtp: DeadlineSMTP, in_step: bool) -> None:
        """Make the connection ready for the next mail, or give it up when the two ends are out of step."""
        try:
            if in_step and smtp.rset()[0] == 250:
                return
        except (OSError, smtplib.SMTPException):
            pass
        self._drop()

    def _write(self, smtp: DeadlineSMTP, content: bytes) -> None:
        """Write a mail with its transparent dots and the end of it, all at once."""
        lines = content if content.endswith(b"\r\n") else content + b"\r\n"
        try:
            smtp.send(lines.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        except (OSError, smtplib.SMTPException):
            # The end of the mail did not leave, so the relay cannot have taken it (RFC 5321 section 4.1.1.4).
            self._drop()
            raise Unavailable("the connection to the mail relay broke within the mail") from None

    def _final_answer(self, smtp: DeadlineSMTP) -> str:
        try:
            code, text = smtp.getreply()
        except (OSError, smtplib.SMTPException):
            code, text = -1, b""
        # Only the first digit decides (RFC 5321 section 4.2.1); what is neither yes nor no leaves it open.
        if code // 100 not in (2, 4, 5):
            self._drop()
            raise Uncertain(
                "the mail was written, and the mail relay did not say whether it took it"
            )
        if code == SERVICE_NOT_AVAILABLE:
            self._drop()
        if code >= 400:
            raise answer_error(code, text)
        return said(code, text)

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None
