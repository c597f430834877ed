"""Opens a connection to the relay, with TLS and log-in as the settings ask, and explains why one fails."""

import base64
import smtplib
import socket
import ssl
import time
from typing import Any, Final

from messaging.errors import ConfigurationError, GatewayError, Rejected, Unavailable
from messaging.mail.relay import Endpoint, Relay
from messaging.mail.text import one_line

MAX_ANSWER_CHARS: Final = 200
_MAX_LINE_BYTES: Final = 8192
# About our account or our TLS, not about the mail: the operator has to act, and the mail can wait (RFC 4954, RFC 3207).
_ABOUT_US: Final = frozenset((530, 534, 535, 538))


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

    Raises Unavailable for every failure. Never goes on in the clear where the settings ask for TLS.
    """
    try:
        return _open(relay, helo, until)
    except (OSError, ValueError, smtplib.SMTPException) as error:
        raise translate(error) from None


def check_relay(relay: Relay) -> str:
    """Try connection, TLS and log-in without sending, and return a line about them.

    Raises ConfigurationError for a failure that a setting has to change, Unavailable for one that may pass.
    """
    try:
        smtp = _open(relay, relay.hostname or socket.gethostname(), None)
        code, text = smtp.noop()
        quit_quietly(smtp)
    except smtplib.SMTPAuthenticationError as error:
        raise ConfigurationError(f"SATBRIDGE_RELAY_URL: {translate(error).reason}") from None
    except (OSError, ValueError, smtplib.SMTPException) as error:
        raise translate(error) from None
    if code != 250:
        raise Unavailable(f"the mail relay said: {one_line_answer(code, text)}")
    endpoint = relay.endpoint()
    secured = "in the clear" if endpoint.encryption == "none" else "with TLS"
    logged_in = ", logged in" if endpoint.user else ""
    return f"{endpoint.host}:{endpoint.port} answers {secured}{logged_in}"


def translate(error: Exception) -> Unavailable:
    """Return the error for an exception of smtplib, ssl or the socket. The one table for all of them."""
    match error:
        case ssl.SSLCertVerificationError():
            why = one_line(error.verify_message, 120)
            return Unavailable(f"the certificate of the mail relay is not trusted: {why}")
        case ssl.SSLError():
            return Unavailable("TLS with the mail relay failed")
        case socket.gaierror():
            return Unavailable("the name of the mail relay cannot be found")
        case ConnectionRefusedError():
            return Unavailable("the mail relay refuses connections")
        case smtplib.SMTPAuthenticationError():
            return Unavailable(f"the mail relay refused user name and password: {error.smtp_code}")
        case smtplib.SMTPNotSupportedError():
            return Unavailable("the mail relay offers no way to log in that we know")
        case smtplib.SMTPResponseException():
            return Unavailable(
                f"the mail relay said: {one_line_answer(error.smtp_code, error.smtp_error)}"
            )
        case TimeoutError() | smtplib.SMTPServerDisconnected():
            return Unavailable("the mail relay did not answer in time or closed the connection")
    return Unavailable("the mail relay cannot be reached")


def answer_error(code: int, text: bytes) -> GatewayError:
    """Return the error for a refusal: 5xx means never, unless it is about us; everything else means later."""
    if 500 <= code <= 599 and code not in _ABOUT_US:
        return Rejected(f"the mail server refused it: {one_line_answer(code, text)}")
    if code < 0:
        return Unavailable("the mail server answered something that is not SMTP")
    return Unavailable(f"the mail server said: {one_line_answer(code, text)}")


def one_line_answer(code: int, text: bytes | str) -> str:
    """Return an answer on one line without control characters."""
    words = text if isinstance(text, str) else text.decode("utf-8", "replace")
    return one_line(f"{code} {words}", MAX_ANSWER_CHARS)


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
                raise Unavailable(
                    "the mail relay offers no TLS, which SATBRIDGE_RELAY_URL asks for"
                )
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
