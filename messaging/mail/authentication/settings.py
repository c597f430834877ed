"""The settings of the authentication of mail, of DNS, and of DKIM signing."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from messaging.config.env import Section, entries_of
from messaging.mail.smtp.settings import Networks
from messaging.model.address_syntax import ascii_domain

DNS_PORT = 53


def read_server(text: str) -> tuple[str, int]:
    """Read `address`, `address:port` or `[v6]:port`. Raises ValueError."""
    host, port = text, str(DNS_PORT)
    if text.startswith("[") or text.count(":") == 1:
        host, _, port = text.rpartition(":")
    address = str(ip_address(host.strip("[]")))
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("must be an address or address:port")
    return address, int(port)


def _check_servers(text: str) -> str:
    try:
        found = [read_server(entry) for entry in entries_of(text)]
    except ValueError:
        found = []
    if not found:
        raise ValueError("must be addresses such as 192.0.2.53 or [2001:db8::53]:5353, with commas")
    return text


Domains = Annotated[str, AfterValidator(lambda text: ",".join(map(ascii_domain, entries_of(text))))]


class DnsSettings(Section, prefix="SATBRIDGE_DNS_"):
    """The DNS servers, those of the machine by default, and the longest time of one lookup."""

    servers: Annotated[str, AfterValidator(_check_servers)] | None = None
    seconds: Annotated[float, Field(gt=0, le=30)] = 5

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """The address and port of each server; empty for those of the machine."""
        return [read_server(entry) for entry in entries_of(self.servers or "")]


class AuthenticationSettings(Section, prefix="SATBRIDGE_MAIL_"):
    """The relays and sealers that the operator trusts, and the longest time of all checks of one mail.

    Without `authentication` nothing is checked, and every author is unproved.
    `trusted_relays` are the networks of the operator's own relays, `authserv_id` the name under which they write
    Authentication-Results. `arc_sealers` are the domains (`d=`) whose ARC seals count.
    """

    authentication: bool = True
    trusted_relays: Networks | None = None
    authserv_id: Annotated[
        str | None, Field(pattern=r"^[A-Za-z0-9._-]{1,255}$", examples=["mx.example.org"])
    ] = None
    arc_sealers: Domains = ""
    authentication_seconds: Annotated[float, Field(gt=0, le=60)] = 5

    @model_validator(mode="after")
    def _relay_before_id(self) -> "AuthenticationSettings":
        if self.authserv_id and not self.trusted_relays:
            raise ValueError(
                "SATBRIDGE_MAIL_TRUSTED_RELAYS must name the relays that write SATBRIDGE_MAIL_AUTHSERV_ID"
            )
        return self

    @property
    def sealers(self) -> frozenset[str]:
        """The domains of the trusted sealers."""
        return frozenset(entries_of(self.arc_sealers))


class DkimSettings(Section, prefix="SATBRIDGE_DKIM_"):
    """The keys that sign outgoing mail. Off without `keys`.

    `keys` are files in PEM form, RSA or Ed25519, separated by commas, and `selectors` the selector of each: several
    keys make several signatures. `domains` are the domains of authors that are signed, by default the mail domain.
    """

    keys: str | None = None
    selectors: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(,[A-Za-z0-9._-]+)*$", examples=["sat2026"])
    ] = "satbridge"
    domains: Domains | None = None

    @model_validator(mode="after")
    def _selector_for_each(self) -> "DkimSettings":
        if len(entries_of(self.selectors)) != max(1, len(entries_of(self.keys or ""))):
            raise ValueError("SATBRIDGE_DKIM_SELECTORS: must have one selector for each key")
        return self

    @property
    def files(self) -> list[tuple[str, Path]]:
        """The selector and the file of each key."""
        files = map(Path, entries_of(self.keys or ""))
        return list(zip(entries_of(self.selectors), files, strict=False))
