"""The settings of the relay, which takes outgoing mail."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr

from messaging.config.env import Section
from messaging.config.settings import Positive

Encryption = Literal["none", "starttls", "implicit"]
_SCHEMES: Final[dict[str, tuple[Encryption, int]]] = {
    "smtp": ("none", 25),
    "smtp+starttls": ("starttls", 587),
    "smtps": ("implicit", 465),
}
_LOOKS_LIKE: Final = "must look like smtp+starttls://user:password@host:port"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the relay is and how to log in; an empty user means without log-in."""

    encryption: Encryption
    host: str
    port: int
    user: str
    password: str

    def __repr__(self) -> str:
        return f"Endpoint({self.encryption}, {self.host}:{self.port})"


def _parse(url: str) -> Endpoint:
    parts = urlsplit(url.strip())
    if parts.scheme not in _SCHEMES:
        raise ValueError("must begin with smtp://, smtp+starttls:// or smtps://")
    if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(_LOOKS_LIKE + "; write special characters in the password as %XX")
    if (parts.username is None) != (parts.password is None):
        raise ValueError("needs both a user and a password, or none")
    encryption, usual_port = _SCHEMES[parts.scheme]
    return Endpoint(
        encryption=encryption,
        host=parts.hostname,
        port=_port(parts) or usual_port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        # The standard library would repeat what it took for the port, which may be half a password.
        raise ValueError("the port must be a number; " + _LOOKS_LIKE) from None


def _require_relay_url(url: SecretStr) -> SecretStr:
    try:
        _parse(url.get_secret_value())
    except ValueError as error:
        text = str(error)
        raise ValueError(text if text.startswith(("must", "needs", "the port")) else _LOOKS_LIKE)  # noqa: B904
    return url


class Relay(Section, prefix="SATBRIDGE_RELAY_"):
    """The mail server that passes our mail on.

    `smtp://` talks in the clear, log-in included: for a relay on this machine or a trusted network. `ca_file` is the
    only authority to trust then, in PEM form; without it, those of the system. `hostname` is what we call ourselves;
    without it, the mail domain. `timeout_seconds` bounds each answer. With `bounce_addresses` each mail has an envelope
    sender of its own.
    """

    url: Annotated[SecretStr, AfterValidator(_require_relay_url)]
    ca_file: Path | None = None
    timeout_seconds: Positive = 20
    hostname: (
        Annotated[
            str, Field(pattern=r"^[A-Za-z0-9._\[\]:-]{1,255}$", examples=["mail.example.org"])
        ]
        | None
    ) = None
    bounce_addresses: bool = True

    def endpoint(self) -> Endpoint:
        """Return the parts of the URL."""
        return _parse(self.url.get_secret_value())
