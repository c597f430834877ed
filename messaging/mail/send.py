"""Sends mail through the relay: several at a time, each with its own outcome."""

import asyncio
import math
import smtplib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from messaging.errors import ConfigurationError, NotBegun, Rejected, Unavailable, Uncertain
from messaging.mail.authentication.settings import DkimSettings
from messaging.mail.authentication.signing import load_signer
from messaging.mail.bounce_addresses import BounceAddresses
from messaging.mail.compose import OutgoingMail, compose
from messaging.mail.dsn_mime import compose_notice
from messaging.mail.relay import Relay
from messaging.mail.relay_answers import RelayStep, answer_error, blocked, one_line_answer
from messaging.mail.relay_client import DeadlineSMTP, check_relay, connect, quit_quietly
from messaging.model.address_syntax import ascii_domain
from messaging.model.message import Delivery, Outcome, SubmittedPart
from messaging.model.raw_mail import RawMail
from messaging.sending.fair_slots import FairSlots
from messaging.sending.sender import Begin, lease_seconds_left, outcome_of

T = TypeVar("T")

MAX_SESSIONS: Final = 4
"""How many mails are handed to the relay at a time: relays commonly allow ten connections or more of one client."""

IDLE_SECONDS: Final = 2.0

NO_TIME: Final = "no time was left to send it"
SERVICE_NOT_AVAILABLE: Final = 421  # RFC 5321 section 3.8: the server closes the connection


class MailSender:
    """Sends mails through the relay, over `max_sessions` connections at a time; urgent ones have as many again.

    A connection is kept for the next mail, for `IDLE_SECONDS`. With `bounce_addresses` each mail but a notice has an
    envelope sender of its own. With keys in `dkim`, mails of its domains are signed.
    Raises ConfigurationError for a key that cannot be read.
    """

    def __init__(
        self,
        relay: Relay,
        mail_domain: str,
        max_sessions: int = MAX_SESSIONS,
        bounce_addresses: BounceAddresses | None = None,
        dkim: DkimSettings | None = None,
    ) -> None:
        self._arguments = (relay, mail_domain, max_sessions, bounce_addresses, dkim)
        self._bounce_addresses = bounce_addresses
        self._signer = load_signer(dkim, mail_domain) if dkim else None
        self._relay = relay
        self._mail_domain = mail_domain
        self._slots = {urgent: FairSlots(max_sessions) for urgent in (False, True)}
        self._idle: list[RelaySession] = []
        self._threads = ThreadPoolExecutor(4 * max_sessions, "relay")

    def __reduce__(self) -> tuple[type["MailSender"], tuple[Any, ...]]:
        """Pickle the arguments only."""
        return type(self), self._arguments

    def order_key(self, delivery: Delivery) -> str:
        """Return the mailbox."""
        return delivery.message.recipient.value

    async def send(self, delivery: Delivery, begin: Begin) -> Outcome | None:
        """Send one mail, in a thread.

        Sent means that the relay took the mail; a mail whose last byte was written without an answer is uncertain. In
        every other case the relay has not taken it.
        """
        async with self._slots[delivery.is_urgent].slot(delivery.lane):
            attempt = await begin(delivery)
            if attempt is None:
                return None
            if self._idle:
                session = self._idle.pop()
            else:
                session = RelaySession(self._relay, self._relay.hostname or self._mail_domain)
            try:
                seconds = lease_seconds_left(attempt)
                if seconds <= self._relay.timeout_seconds:
                    raise NotBegun(NO_TIME)
                failure, now = delivery.message.failure, datetime.now(UTC)
                if failure is not None:
                    mail = compose_notice(delivery, failure, self._mail_domain, now)
                else:
                    mail = compose(delivery, self._mail_domain, now, self._bounce_addresses)
                # The session bounds the thread by itself. If it were abandoned here, the fate of a mail would be
                # unknown.
                until = time.monotonic() + seconds
                write_until = attempt.lease_until.timestamp() - self._relay.timeout_seconds
                answer = await self._run(self._submit, session, mail, until, write_until)
            except Exception as error:
                return outcome_of(delivery, error)
            finally:
                if session.is_usable:
                    self._idle.append(session)
                    loop = asyncio.get_running_loop()
                    loop.call_later(IDLE_SECONDS, self._end_if_idle, session, session.mails)
        return Outcome.sent(delivery, SubmittedPart(answer))

    async def close(self) -> None:
        """End the connections."""
        idle, self._idle = self._idle, []
        for session in idle:
            await self._run(session.close)
        self._threads.shutdown(wait=False)

    def _submit(
        self, session: "RelaySession", mail: OutgoingMail, until: float, write_until: float
    ) -> str:
        """Sign a mail and submit it. Called in a thread."""
        if self._signer is not None:
            mail = replace(mail, content=self._signer.sign(mail.content))
        return session.submit(mail, until, write_until)

    def _end_if_idle(self, session: "RelaySession", mails: int) -> None:
        """End a connection that has carried no mail since then."""
        if session in self._idle and session.mails == mails:
            self._idle.remove(session)
            self._threads.submit(session.close)

    async def _run(self, function: Callable[..., T], *arguments: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *arguments)


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
    """A connection to the relay: opened for the first mail, and again when it broke. Blocking."""

    def __init__(
        self, relay: Relay, helo: str, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._relay = relay
        self._helo = helo
        self._wall_clock = wall_clock
        self._smtp: DeadlineSMTP | None = None
        self.timeout_seconds = relay.timeout_seconds
        self.mails = 0

    def submit(self, mail: OutgoingMail, until: float, write_until: float = math.inf) -> str:
        """Submit one mail until then (monotonic seconds) and return the answer of the relay. Raises GatewayError.

        Nothing of the mail is written after `write_until` on the wall clock, which a suspend does not stop.
        """
        self.mails += 1
        is_reused = self._smtp is not None
        smtp = self._connect(until)
        try:
            self._announce(smtp, mail)
        except _Lost as error:
            self._drop()
            # A relay may end a connection between two mails; a fresh one shows whether it refuses this mail.
            if is_reused:
                return self.submit(mail, until, write_until)
            raise Unavailable(str(error)) from None
        if self._wall_clock() > write_until:
            self._drop()
            raise Unavailable("the machine stood still before the mail was written")
        return self._write(smtp, mail.content)

    @property
    def is_usable(self) -> bool:
        """Whether a connection is open for the next mail."""
        return self._smtp is not None

    def close(self) -> None:
        """End the connection."""
        if self._smtp is not None:
            quit_quietly(self._smtp)
            self._smtp = None

    def _connect(self, until: float) -> DeadlineSMTP:
        if self._smtp is None:
            try:
                self._smtp = connect(self._relay, self._helo, until)
            except ConfigurationError as error:
                raise blocked(str(error), "correct the setting") from None
        self._smtp.until = until
        return self._smtp

    def _announce(self, smtp: DeadlineSMTP, mail: OutgoingMail) -> None:
        """Give the envelope of a mail and get leave to write it. Raises _Lost, or GatewayError."""
        if mail.international and not smtp.has_extn("smtputf8"):
            raise Rejected("the mail server takes no addresses with international letters")
        smtp.command_encoding = "utf-8" if mail.international else "ascii"
        option = " SMTPUTF8" if mail.international else ""
        self._command(smtp, RelayStep.MAIL, f"MAIL FROM:<{mail.sender}>{option}", 250)
        self._command(smtp, RelayStep.RCPT, f"RCPT TO:<{mail.recipient}>", 250, 251)
        if smtp.seconds_left() < self.timeout_seconds:
            self._drop()
            raise Unavailable("the mail relay was too slow to be given the mail in time")
        self._command(smtp, RelayStep.DATA, "DATA", 354)

    def _command(self, smtp: DeadlineSMTP, step: RelayStep, command: str, *good: int) -> None:
        try:
            code, text = smtp.docmd(command)
        except (OSError, smtplib.SMTPException):
            raise _Lost("the mail relay closed the connection or did not answer in time") from None
        if code == SERVICE_NOT_AVAILABLE:
            raise _Lost(f"the mail server said: {one_line_answer(code, text)}")
        if code in good:
            return
        # The next mail needs a fresh transaction, and no connection whose two ends are out of step.
        in_step = code > 0 and not (step is RelayStep.DATA and code < 400)
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
            raise answer_error(RelayStep.CONTENT, code, text)
        return one_line_answer(code, text)

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None
