"""TLS of the SMTP server: the certificate, which is loaded again when its files change, and half-closed streams."""

import logging
import ssl
from asyncio.sslproto import SSLProtocol, SSLProtocolState
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cryptography import x509

from messaging.errors import ConfigurationError
from messaging.mail.smtp.settings import SmtpSettings

log = logging.getLogger(__name__)

Stamp = tuple[tuple[int, int, int], ...]


class Certificate:
    """A certificate chain and its key in PEM files.

    The constructor raises ConfigurationError when they cannot be used. Later, files that do not fit together, as in
    the middle of a replacement, leave the old certificate in use.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        try:
            self._stamp = self._read_stamp()
            self._context, self.expires = self._load()
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"SATBRIDGE_SMTP_CERTIFICATE, SATBRIDGE_SMTP_KEY: {_reason(error)}"
            ) from None

    def context(self) -> ssl.SSLContext:
        """Return the context for the next handshake, with the current certificate of the files."""
        try:
            stamp = self._read_stamp()
            if stamp != self._stamp:
                self._context, self.expires = self._load()
                self._stamp = stamp
                log.info("the mail certificate was renewed; it expires %s", self.expires)
        except (OSError, ValueError) as error:
            log.warning("the changed mail certificate is not used: %s", _reason(error))
        return self._context

    def _read_stamp(self) -> Stamp:
        stats = (self._certificate.stat(), self._key.stat())
        return tuple((stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in stats)

    def _load(self) -> tuple[ssl.SSLContext, datetime]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._key.read_bytes()  # OpenSSL does not name the file that it cannot read
        leaf = x509.load_pem_x509_certificate(self._certificate.read_bytes())
        context.load_cert_chain(self._certificate, self._key, password=_refuse_password)
        return context, leaf.not_valid_after_utc


class HalfOpenTls(SSLProtocol):
    """TLS on a connection whose client may end its sending half first: replies still reach it until `close`.

    The class of asyncio closes at the client's `close_notify` or FIN, and discards later replies.
    """

    _state: SSLProtocolState
    _call_eof_received: Callable[[], None]

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Report the end of the stream (FIN) to the application, and keep the connection."""
        if self._state is not SSLProtocolState.WRAPPED:
            super().eof_received()
            return None
        self._eof_received = True
        self._call_eof_received()
        return True

    def _start_shutdown(self) -> None:
        """Ignore the client's `close_notify`, which calls this too; the application closes the transport."""
        if self._app_transport is None or self._app_transport.is_closing():
            super()._start_shutdown()


def load_certificate(settings: SmtpSettings) -> Certificate | None:
    """Return the certificate of the settings, None without one. Raises ConfigurationError when it cannot be used."""
    if settings.certificate is None or settings.key is None:
        return None
    return Certificate(settings.certificate, settings.key)


def _refuse_password() -> str:
    """Refuse the password prompt: without this callback OpenSSL asks on the terminal."""
    raise ValueError("the key is protected by a password")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "certificate and key cannot be read or do not belong together"
    if isinstance(error, OSError):
        return f"{error.strerror}: {error.filename}"
    return "the key has a password, or the certificate is not in PEM form"
