"""The settings of the SMTP server that takes mail in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from messaging.config.env import Section
from messaging.config.ip_allowlist import LOOPBACK, is_peer, networks_of
from messaging.config.settings import Count, Listen, ListenText, Positive


def _check_networks(text: str) -> str:
    networks_of(text)
    return text


Networks = Annotated[str, AfterValidator(_check_networks)]


@dataclass(frozen=True, slots=True)
class Patience:
    """The waits of the server that are no settings; tests shorten them.

    A new client has `new_client_idles` times its idle time until it must have brought a mail, and may cause
    `replies_without_mail` beside two for each recipient. The rate of a mail is measured every `rate_seconds`. A client
    that closes `give_up_seconds` after its mail hears no reply. A connection younger than `evict_seconds` is not
    dropped for others. The first unknown recipient is answered after `first_delay_seconds`.
    """

    new_client_idles: int = 10
    replies_without_mail: int = 1000
    rate_seconds: float = 30.0
    give_up_seconds: float = 5.0
    evict_seconds: float = 5.0
    first_delay_seconds: float = 0.25


PATIENCE = Patience()


class SmtpSettings(Section, prefix="SATBRIDGE_SMTP_"):
    """The addresses and limits of the SMTP server.

    `hostname` is the server's name in its greeting, by default the mail domain. `proxy_listen` is a second port that
    expects the PROXY protocol first, from `proxy_peers` and this machine only. `peers` are the clients that may
    connect to the other port, all when it is None. `max_bytes_in_flight` limits the mails
    that are being received; the event loop buffers at most 256 KiB more for each connection, and parsing a mail
    needs a few times its size for a moment (one big mail at a time, in a process of its own). A mail with more than
    `max_received` Received fields is refused as a mail loop.
    """

    listen: ListenText = "127.0.0.1:7420"
    proxy_listen: ListenText | None = None
    peers: Networks | None = None
    proxy_peers: Networks | None = None
    hostname: (
        Annotated[
            str, Field(pattern=r"^[A-Za-z0-9._\[\]:-]{1,255}$", examples=["mail.example.org"])
        ]
        | None
    ) = None
    certificate: Path | None = None
    key: Path | None = None

    max_bytes: Count = 10 * 1024 * 1024
    max_recipients: Count = 100
    max_received: Count = 50
    max_connections: Count = 500
    max_connections_per_client: Count = 100
    max_bytes_in_flight: Count = 256 * 1024 * 1024
    max_unknown_recipients: Count = 20
    idle_seconds: Positive = 300
    new_idle_seconds: Positive = 45
    min_bytes_per_second: Annotated[float, Field(ge=0)] = 100
    data_seconds: Positive = 600
    inquiry_cache_seconds: Annotated[float, Field(ge=0)] = 5

    @model_validator(mode="after")
    def _both_or_none(self) -> "SmtpSettings":
        if (self.certificate is None) != (self.key is None):
            raise ValueError(
                "SATBRIDGE_SMTP_CERTIFICATE and SATBRIDGE_SMTP_KEY: set both for STARTTLS, or none"
            )
        if self.max_bytes_in_flight < self.max_bytes:
            raise ValueError(
                "SATBRIDGE_SMTP_MAX_BYTES_IN_FLIGHT must not be below SATBRIDGE_SMTP_MAX_BYTES"
            )
        if self.proxy_listen and not self.proxy_peers:
            host = Listen.parse(self.proxy_listen).host
            if host != "localhost" and not is_peer(host, LOOPBACK):
                raise ValueError(
                    "SATBRIDGE_SMTP_PROXY_PEERS must name the addresses of the proxies that may connect to"
                    " SATBRIDGE_SMTP_PROXY_LISTEN (0.0.0.0/0,::/0 where a firewall lets only them through)"
                )
        return self
