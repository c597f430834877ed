"""One connection to the simulated mail server: its access rules, its answers, and its faults."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final, Literal, Protocol, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pydantic import Field

from messaging.simulator.shared.faults import Dice, Faults

# The statuses of a busy HTTP server become 451; every other status is taken as an SMTP code.
_BUSY_STATUS: Final = {429, 502, 503, 504}


class MailFaults(Faults):
    """The faults of a mail server. `error_status` is an SMTP code; 429 and 502 to 504 mean 451."""

    error_at: Literal["MAIL", "RCPT", "DATA"] = "RCPT"
    drop_after_rate: float = Field(
        default=0, ge=0, le=1, description="take it, then drop the connection"
    )


@dataclass(frozen=True)
class ReceivedMail:
    """A mail as it arrived. `user` is who logged in, `tls` whether the connection was encrypted."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    tls: bool
    user: str | None
    options: tuple[str, ...]

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        return message_from_bytes(self.content, policy=policy.default)


@dataclass(frozen=True, kw_only=True)
class AccessRules:
    """How clients come in: encryption, log-in, and answers fixed by recipient ("550 5.1.1 no such user")."""

    tls: Literal["none", "starttls", "implicit"] = "none"
    certificate: Path | None = None
    key: Path | None = None
    user: str = ""
    password: str = ""
    smtputf8: bool = True
    answers: Mapping[str, str] = field(default_factory=dict)

    def context(self) -> ssl.SSLContext | None:
        """Return the TLS context, None when everything is in the clear. Raises OSError for unreadable files."""
        if self.tls == "none" or self.certificate is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


class Sink(Protocol):
    """The server that a session belongs to."""

    access_rules: AccessRules
    dice: Dice
    received: list[ReceivedMail]

    @property
    def faults(self) -> MailFaults:
        """The faults that are switched on."""

    def keep(self, mail: ReceivedMail) -> None:
        """Add a mail to those received."""

    def add_connection(self, transport: asyncio.Transport) -> None:
        """Note a connection."""

    def remove_connection(self, transport: asyncio.Transport) -> None:
        """Forget a connection."""


class SinkSession(SMTP):
    """One connection to the sink."""

    def __init__(self, sink: Sink, starttls: ssl.SSLContext | None) -> None:
        rules = sink.access_rules
        super().__init__(
            Faulty(sink),
            hostname="mail-sink.localhost",
            ident="ESMTP",
            enable_SMTPUTF8=rules.smtputf8,
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=self._log_in,
            auth_require_tls=rules.tls == "starttls" or not rules.user,
            loop=asyncio.get_running_loop(),
        )
        self._auth_required = bool(rules.user)  # as an argument it warns about log-in in the clear
        self._sink = sink
        self._first: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection, or go on after the TLS handshake."""
        if self._first is None:
            self._first = cast(asyncio.Transport, transport)
            self._sink.add_connection(self._first)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """End it."""
        super().connection_lost(error)
        if self._first is not None:
            self._sink.remove_connection(self._first)

    async def _handle_client(self) -> None:
        if self._sink.dice.happens(self._sink.faults.refuse_rate):
            self.drop()
            return
        await super()._handle_client()

    def drop(self) -> None:
        """Cut the connection without an answer."""
        if self._first is not None:
            self._first.abort()

    def _log_in(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        rules = self._sink.access_rules
        wanted = LoginPassword(rules.user.encode(), rules.password.encode())
        return AuthResult(success=data == wanted, handled=False, auth_data=data)


class Faulty:
    """Answers each command, with the faults that are switched on."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the sender."""
        if (refusal := self._refusal("MAIL")) is not None:
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, unless it has an answer of its own."""
        refusal = self._sink.access_rules.answers.get(address) or self._refusal("RCPT")
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SinkSession, session: Session, envelope: Envelope) -> str:
        """Take the mail."""
        dice, faults = self._sink.dice, self._sink.faults
        await asyncio.sleep(faults.latency_seconds)
        if dice.happens(faults.hang_before_rate):
            await dice.hang()
            server.drop()
            return "421 4.3.0 simulated silence"
        if dice.over_rate_limit():
            return "451 4.7.1 too many mails"
        if (refusal := self._refusal("DATA")) is not None:
            return refusal
        self._sink.keep(_mail_of(session, envelope, self._sink.access_rules.tls == "implicit"))
        if dice.happens(faults.drop_after_rate):
            server.drop()
        if dice.happens(faults.hang_after_rate):
            await dice.hang()
        if dice.happens(faults.garbage_rate):
            return "what a lovely day"
        return f"250 2.0.0 ok, queued as {len(self._sink.received)}"

    def _refusal(self, command: str) -> str | None:
        faults = self._sink.faults
        if faults.error_at != command or not self._sink.dice.happens(faults.error_rate):
            return None
        status = faults.error_status
        code = 451 if status in _BUSY_STATUS else status
        return f"{code} {code // 100}.3.0 simulated error"


def _mail_of(session: Session, envelope: Envelope, encrypted: bool) -> ReceivedMail:
    content = envelope.original_content or b""
    login = session.auth_data
    return ReceivedMail(
        sender=(envelope.mail_from or "").strip("<>"),
        recipients=tuple(envelope.rcpt_tos),
        content=bytes(content),
        tls=encrypted or session.ssl is not None,
        user=login.login.decode() if isinstance(login, LoginPassword) else None,
        options=tuple(envelope.mail_options),
    )
