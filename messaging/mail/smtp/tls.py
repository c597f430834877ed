"""The certificate of the SMTP server: loaded, and loaded again when its files change."""

import logging
import ssl
from datetime import datetime
from pathlib import Path

from cryptography import x509

from messaging.errors import ConfigurationError
from messaging.mail.smtp.settings import SmtpSettings

log = logging.getLogger(__name__)

Stamp = tuple[tuple[int, int, int], ...]


class Certificate:
    """A certificate chain and its key in PEM files.

    Raises ConfigurationError at first when they cannot be used. Later, files that are being replaced and do not
    fit together yet leave the old certificate in use.
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
        """Return the context for the next handshake, with the certificate that the files hold now."""
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
        found = (self._certificate.stat(), self._key.stat())
        return tuple((f.st_mtime_ns, f.st_size, f.st_ino) for f in found)

    def _load(self) -> tuple[ssl.SSLContext, datetime]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._certificate, self._key, password=_no_password)
        leaf = x509.load_pem_x509_certificate(self._certificate.read_bytes())
        return context, leaf.not_valid_after_utc


def load_certificate(server: SmtpSettings) -> Certificate | None:
    """Return the certificate that the settings name, if any. Raises ConfigurationError when it cannot be used."""
    if server.certificate is None or server.key is None:
        return None
    return Certificate(server.certificate, server.key)


def _no_password() -> str:
    """Keep OpenSSL from asking on the terminal."""
    raise ValueError("the key is protected by a password")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "certificate and key cannot be read or do not belong together"
    if isinstance(error, OSError):
        return f"{error.strerror}: {error.filename}"
    return "the key has a password, or the certificate is not in PEM form"
