"""Sends mail through the relay: a batch of deliveries over one connection, each with its own outcome."""

import asyncio
import logging
import smtplib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from messaging.errors import ConfigurationError, GatewayError, Rejected, Unavailable, Uncertain
from messaging.mail.compose import OutgoingMail, compose
from messaging.mail.dsn_mime import compose_notice
from messaging.mail.relay import Relay
from messaging.mail.relay_answers import Step, answer_error, blocked, one_line_answer
from messaging.mail.relay_client import DeadlineSMTP, check_relay, connect, quit_quietly
from messaging.model.address_syntax import ascii_domain
from messaging.model.message import Delivery, Outcome, SubmittedPart
from messaging.model.raw_mail import RawMail
from messaging.sending.sender import lease_seconds_left, outcome_of

log = logging.getLogger(__name__)

SERVICE_NOT_AVAILABLE: Final = 421  # RFC 5321 section 3.8: the server closes the connection


def send_mail(
    relay: Relay, mail_domain: str, deliveries: Sequence[Delivery]
) -> list[list[Outcome]]:
    """Send each delivery; return one list per delivery: its outcome, or nothing when its lease is (nearly) over.

    Runs an event loop of its own, so it can be a task of any process. Never raises.
    """

    async def send_each() -> list[list[Outcome]]:
        sender = MailSender(relay, mail_domain)
        try:
            outcomes = [await sender.send(delivery) for delivery in deliveries]
        finally:
            await sender.close()
        return [[] if outcome is None else [outcome] for outcome in outcomes]

    return asyncio.run(send_each())


class MailSender:
    """Sends one mail after another over one connection, which it opens at the first."""

    def __init__(self, relay: Relay, mail_domain: str) -> None:
        self._mail_domain = mail_domain
        self._session = RelaySession(relay, relay.hostname or mail_domain)

    async def send(self, delivery: Delivery) -> Outcome | None:
        """Send one mail, in a thread; None when no more than `timeout_seconds` of its lease are left.

        Sent means that the relay took the mail; a mail whose last byte was written without an answer is uncertain. In
        every other case the relay has not taken it.
        """
        seconds = lease_seconds_left(delivery)
        if seconds <= self._session.timeout_seconds:
            extra = {"message_id": delivery.message.id}
            log.info("not enough of the lease left to send", extra=extra)
            return None
        try:
            failure, now = delivery.message.failure, datetime.now(UTC)
            if failure is not None:
                mail = compose_notice(delivery, failure, self._mail_domain, now)
            else:
                mail = compose(delivery, self._mail_domain, now)
            # The session bounds the thread by itself. If it were abandoned here, the fate of a mail would be unknown.
            until = time.monotonic() + seconds
            answer = await asyncio.to_thread(self._session.submit, mail, until)
        except Exception as error:
            return outcome_of(delivery, error)
        return Outcome.sent(delivery, SubmittedPart(answer))

    async def close(self) -> None:
        """End the connection."""
        await asyncio.to_thread(self._session.close)


@dataclass(frozen=True, slots=True)
class RelaySubmitter:
    """Submits mails of satellite networks, which are composed elsewhere, to the relay of outgoing mail."""

    relay: Relay
    mail_domain: str

    def submit(self, mail: RawMail, seconds: float) -> str:
        """Submit one mail within `seconds` and return the answer of the relay.

        Raises Rejected, Unavailable, or Uncertain when the mail was written and its answer did not come.
        """
        outgoing = OutgoingMail(mail.sender, mail.recipient, mail.content, international=False)
        session = RelaySession(self.relay, self.relay.hostname or self.mail_domain)
        try:
            return session.submit(outgoing, time.monotonic() + seconds)
        finally:
            session.close()

    def check(self) -> None:
        """Try connection, TLS, log-in and envelope without sending. Raises Unavailable or ConfigurationError."""
        check_relay(self.relay, f"postmaster@{ascii_domain(self.mail_domain)}")


class _Lost(Exception):
    """The connection broke, or the relay ended it, before a mail was written; the relay has not taken it."""


class RelaySession:
    """A connection to the relay: opened for the first mail, and again when it broke. Blocking.

    After a connection failed, all later mails of the session fail with the same error.
    """

    def __init__(self, relay: Relay, helo: str) -> None:
        self._relay = relay
        self._helo = helo
        self._smtp: DeadlineSMTP | None = None
        self._unreachable: GatewayError | None = None
        self.timeout_seconds = relay.timeout_seconds

    def submit(self, mail: OutgoingMail, until: float) -> str:
        """Submit one mail until then (monotonic seconds) and return the answer of the relay. Raises GatewayError."""
        is_reused = self._smtp is not None
        smtp = self._connect(until)
        try:
            self._announce(smtp, mail)
        except _Lost as error:
            self._drop()
            # A relay may end a connection between two mails; a fresh one shows whether it refuses this mail.
            if is_reused:
                return self.submit(mail, until)
            raise Unavailable(str(error)) from None
        return self._write(smtp, mail.content)

    def close(self) -> None:
        """End the connection."""
        if self._smtp is not None:
            quit_quietly(self._smtp)
            self._smtp = None

    def _connect(self, until: float) -> DeadlineSMTP:
        if self._unreachable is not None:
            raise self._unreachable
        if self._smtp is None:
            try:
                self._smtp = connect(self._relay, self._helo, until)
            except GatewayError as error:
                self._unreachable = error
                raise
            except ConfigurationError as error:
                self._unreachable = blocked(str(error), "correct the setting")
                raise self._unreachable from None
        self._smtp.until = until
        return self._smtp

    def _announce(self, smtp: DeadlineSMTP, mail: OutgoingMail) -> None:
        """Give the envelope of a mail and get leave to write it. Raises _Lost, or GatewayError."""
        if mail.international and not smtp.has_extn("smtputf8"):
            raise Rejected("the mail server takes no addresses with international letters")
        smtp.command_encoding = "utf-8" if mail.international else "ascii"
        option = " SMTPUTF8" if mail.international else ""
        self._command(smtp, Step.MAIL, f"MAIL FROM:<{mail.sender}>{option}", 250)
        self._command(smtp, Step.RCPT, f"RCPT TO:<{mail.recipient}>", 250, 251)
        if smtp.seconds_left() < self.timeout_seconds:
            self._drop()
            raise Unavailable("the mail relay was too slow to be given the mail in time")
        self._command(smtp, Step.DATA, "DATA", 354)

    def _command(self, smtp: DeadlineSMTP, step: Step, command: str, *good: int) -> None:
        try:
            code, text = smtp.docmd(command)
        except (OSError, smtplib.SMTPException):
            raise _Lost("the mail relay closed the connection or did not answer in time") from None
        if code == SERVICE_NOT_AVAILABLE:
            raise _Lost(f"the mail server said: {one_line_answer(code, text)}")
        if code in good:
            return
        # The next mail needs a fresh transaction, and no connection whose two ends are out of step.
        in_step = code > 0 and not (step is Step.DATA and code < 400)
        try:
            if not in_step or smtp.rset()[0] != 250:
                self._drop()
        except (OSError, smtplib.SMTPException):
            self._drop()
        raise answer_error(step, code, text)

    def _write(self, smtp: DeadlineSMTP, content: bytes) -> str:
        """Write a mail and return the answer. Raises GatewayError; Uncertain only after the final dot was written."""
        lines = content if content.endswith(b"\r\n") else content + b"\r\n"
        try:
            # All at once, with transparent dots and the final one.
            smtp.send(lines.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        except (OSError, smtplib.SMTPException):
            # The end of the mail did not leave, so the relay cannot have taken it (RFC 5321 section 4.1.1.4).
            self._drop()
            raise Unavailable("the connection to the mail relay broke within the mail") from None
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
            raise answer_error(Step.CONTENT, code, text)
        return one_line_answer(code, text)

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None
