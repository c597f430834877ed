"""Opens a connection to the relay, with TLS and log-in as the settings ask, and explains why one fails."""

import base64
import smtplib
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any, Final

from messaging.errors import AccountBlocked, ConfigurationError, Unavailable
from messaging.mail.relay import Endpoint, Relay
from messaging.mail.relay_answers import RelayStep, answer_error, blocked, one_line_answer
from messaging.mail.text import one_line

_MAX_LINE_BYTES: Final = 8192
# A domain that exists and takes no mail (RFC 2606): a relay that takes mail from us for everywhere accepts it.
_ELSEWHERE: Final = "postmaster@example.com"


class _AnswerReader:
    """Reads the lines of one answer, which has to arrive as a whole `until` then (monotonic seconds)."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = b""
        self.until = 0.0

    def readline(self, _limit: int) -> bytes:
        while b"\n" not in self._buffer and len(self._buffer) <= _MAX_LINE_BYTES:
            left = self.until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._sock.settimeout(left)
            chunk = self._sock.recv(_MAX_LINE_BYTES)
            if not chunk:
                return b""
            self._buffer += chunk
        line, end, self._buffer = self._buffer.partition(b"\n")
        return line + end

    def close(self) -> None:
        """Leave the socket open: the SMTP client closes it."""


class DeadlineSMTP(smtplib.SMTP):
    """An SMTP client whose answers are bounded as a whole; smtplib bounds each piece of one only."""

    until: float | None = None

    def getreply(self) -> tuple[int, bytes]:
        """Return code and text of the next answer. Raises SMTPServerDisconnected when it does not come in time."""
        sock: Any = self.sock
        if sock is not None and self.file is None:
            self.file = _AnswerReader(sock)
        if isinstance(self.file, _AnswerReader):
            self.file.until = time.monotonic() + self._seconds()
        reply = super().getreply()
        if self.sock is not None:
            self.sock.settimeout(self._seconds())
        return reply

    def seconds_left(self) -> float:
        """Return how long this connection may still be used."""
        return self.timeout if self.until is None else self.until - time.monotonic()

    def _seconds(self) -> float:
        return max(0.001, min(self.timeout, self.seconds_left()))


class DeadlineSMTPOverTls(DeadlineSMTP, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


def connect(relay: Relay, helo: str, until: float | None = None) -> DeadlineSMTP:
    """Open a connection, ready for MAIL. `until` (monotonic seconds) bounds it and all that follows.

    Raises Unavailable for every failure, AccountBlocked where an operator has to act. Never goes on in the clear where
    the settings ask for TLS.
    """
    try:
        return _open(relay, helo, until)
    except (OSError, ValueError, smtplib.SMTPException) as error:
        raise translate(error) from None


def check_relay(relay: Relay, sender: str = "", recipients: Iterable[str] = ()) -> str:
    """Try connection, TLS, log-in and the envelope of a mail without sending, and return a line about them.

    With a `sender`, a mail is announced to each of the `recipients` and to a stranger, and then taken back.
    Raises ConfigurationError for a failure that a setting has to change, Unavailable for one that may pass.
    """
    try:
        smtp = _open(relay, relay.hostname or socket.gethostname(), None)
        try:
            code, text = smtp.noop()
            if code != 250:
                raise Unavailable(f"the mail relay said: {one_line_answer(code, text)}")
            if sender:
                _check_envelope(smtp, sender, (*recipients, _ELSEWHERE))
        finally:
            quit_quietly(smtp)
    except smtplib.SMTPAuthenticationError as error:
        raise ConfigurationError(f"SATBRIDGE_RELAY_URL: {translate(error).reason}") from None
    except AccountBlocked as error:
        raise ConfigurationError(f"{error.reason}; {error.action}") from None
    except (OSError, ValueError, smtplib.SMTPException) as error:
        raise translate(error) from None
    endpoint = relay.endpoint()
    secured = "in the clear" if endpoint.encryption == "none" else "with TLS"
    logged_in = ", logged in" if endpoint.user else ""
    return f"{endpoint.host}:{endpoint.port} answers {secured}{logged_in}"


def _check_envelope(smtp: DeadlineSMTP, sender: str, recipients: Iterable[str]) -> None:
    """Announce a mail to each recipient and take it back. Raises AccountBlocked when the relay refuses the gateway."""
    for recipient in dict.fromkeys(one for one in recipients if one.isascii()):
        for step, command in (
            (RelayStep.MAIL, f"MAIL FROM:<{sender}>"),
            (RelayStep.RCPT, f"RCPT TO:<{recipient}>"),
        ):
            code, text = smtp.docmd(command)
            if code not in (250, 251):
                error = answer_error(step, code, text)
                # A refused recipient says nothing about all others.
                is_doubtful = recipient == _ELSEWHERE and getattr(error, "is_doubtful", False)
                if isinstance(error, AccountBlocked) and not is_doubtful:
                    raise error
                break
        smtp.rset()


def translate(error: Exception) -> Unavailable:
    """Return the error for an exception of smtplib, ssl or the socket. The one table for all of them."""
    match error:
        case ssl.SSLCertVerificationError():
            why = one_line(error.verify_message, 120)
            return blocked(
                f"the certificate of the mail relay is not trusted: {why}",
                "check SATBRIDGE_RELAY_CA_FILE and the certificate of the relay",
            )
        case ssl.SSLError():
            return Unavailable("TLS with the mail relay failed")
        case socket.gaierror():
            return Unavailable("the name of the mail relay cannot be found")
        case ConnectionRefusedError():
            return Unavailable("the mail relay refuses connections")
        case smtplib.SMTPAuthenticationError():
            reason = f"the mail relay refused user name and password: {error.smtp_code}"
            return blocked(reason) if error.smtp_code >= 500 else Unavailable(reason)
        case smtplib.SMTPNotSupportedError():
            return blocked("the mail relay offers no way to log in that we know")
        case smtplib.SMTPResponseException():
            reason = f"the mail relay said: {one_line_answer(error.smtp_code, error.smtp_error)}"
            return blocked(reason) if error.smtp_code >= 500 else Unavailable(reason)
        case TimeoutError() | smtplib.SMTPServerDisconnected():
            return Unavailable("the mail relay did not answer in time or closed the connection")
    return Unavailable("the mail relay cannot be reached")


def quit_quietly(smtp: smtplib.SMTP) -> None:
    """End the connection with QUIT, and without where that fails."""
    try:
        smtp.quit()
    except (OSError, smtplib.SMTPException):
        smtp.close()


def _open(relay: Relay, helo: str, until: float | None) -> DeadlineSMTP:
    endpoint = relay.endpoint()
    tls = _context(relay) if endpoint.encryption != "none" else None
    seconds = relay.timeout_seconds
    if endpoint.encryption == "implicit":
        smtp: DeadlineSMTP = DeadlineSMTPOverTls(
            endpoint.host, endpoint.port, local_hostname=helo, timeout=seconds, context=tls
        )
    else:
        smtp = DeadlineSMTP(endpoint.host, endpoint.port, local_hostname=helo, timeout=seconds)
    try:
        smtp.until = until
        smtp.ehlo_or_helo_if_needed()
        if endpoint.encryption == "starttls":
            if not smtp.has_extn("starttls"):
                raise blocked("the mail relay offers no TLS, which SATBRIDGE_RELAY_URL asks for")
            smtp.starttls(context=tls)
            smtp.ehlo_or_helo_if_needed()
        if endpoint.user:
            _log_in(smtp, endpoint)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _log_in(smtp: smtplib.SMTP, endpoint: Endpoint) -> None:
    if (endpoint.user + endpoint.password).isascii():
        smtp.login(endpoint.user, endpoint.password)
        return
    # smtplib knows ASCII only; PLAIN carries UTF-8 (RFC 4616).
    secret = base64.b64encode(f"\0{endpoint.user}\0{endpoint.password}".encode()).decode()
    code, text = smtp.docmd("AUTH", f"PLAIN {secret}")
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, text)


def _context(relay: Relay) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=relay.ca_file)
    except (OSError, ValueError):
        raise ConfigurationError(
            "SATBRIDGE_RELAY_CA_FILE: the file cannot be read as certificates in PEM form"
        ) from None
