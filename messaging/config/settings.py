"""The settings that several parts of the gateway share. The settings of one provider are a `Section` beside it."""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from messaging.config.env import Section, entries_of
from messaging.model.address_syntax import check_countries, e164, relay_mailbox
from messaging.model.message import Address, Network

MAX_DOMAIN_CHARACTERS = 253
OFF = "off"
STORE_KEY_BYTES = 32
_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?")
_ACCOUNT = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Listen:
    """A host and a port to listen on. Port 0 stands for any free port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Listen":
        """Read `host:port`, `:port` (every address) or `[v6]:port`. Raises ValueError."""
        host, colon, port = text.rpartition(":")
        if not colon or not port.isdecimal() or int(port) > 65535:
            raise ValueError("must look like host:port")
        return cls(host.strip("[]") or "0.0.0.0", int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The waits between attempts on one network, and the limits that end them. Waits double up to the longest.

    `max_losses` is the limit of urgent deliveries, which have no other.
    """

    first_wait_seconds: float
    longest_wait_seconds: float
    max_attempts: int
    lifetime_seconds: float
    max_losses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLimits:
    """Time-outs of the store, and the largest record that it accepts."""

    busy_seconds: float
    connect_seconds: int
    statement_seconds: float
    max_text_bytes: int
    max_raw_bytes: int
    max_mail_body_bytes: int


def _absolute_url(url: SecretStr) -> SecretStr:
    # Workers on Ray have working folders of their own: a relative path counts from the folder of the command.
    scheme, found, path = url.get_secret_value().partition(":///")
    if scheme not in ("sqlite", "sqlite3") or not found or not path or path.startswith((":", "/")):
        return url
    return SecretStr(f"{scheme}:///{Path(path).absolute()}")


def _check_listen(text: str) -> str:
    Listen.parse(text)
    return text


def _check_admin_listen(text: str) -> str:
    if text.lower() == OFF:
        return OFF
    if Listen.parse(text).port == 0:
        raise ValueError("must name a port, or be off")
    return text


def _read_domain(text: str) -> str:
    domain = text.rstrip(".").lower()
    if len(domain) > MAX_DOMAIN_CHARACTERS or not all(map(_LABEL.fullmatch, domain.split("."))):
        raise ValueError("must be one domain such as example.org, without a scheme and a port")
    return domain


def _check_public_url(text: str) -> str:
    try:
        url = urlsplit(text)
        is_usable = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or url.query or url.fragment or any(c.isspace() for c in text):
        raise ValueError("must look like https://gateway.example.org")
    return text


def _check_addresses(text: str) -> str:
    for address in entries_of(text):
        if relay_mailbox(address) is None and e164(address) != address:
            raise ValueError(
                "must be mailboxes and numbers such as +15550001111, separated by commas"
            )
    return text


def _check_words(text: str) -> str:
    words = entries_of(text)
    if not words or not all(re.fullmatch(r"[^\W\d_]{2,}( [^\W\d_]+)*", word) for word in words):
        raise ValueError("must be words such as SOS,MAYDAY,HELP, or off")
    return text


def _check_map_url(text: str) -> str:
    if not text.startswith(("http://", "https://")) or any(c.isspace() for c in text):
        raise ValueError("must be a URL")
    if "{latitude}" not in text or "{longitude}" not in text:
        raise ValueError("must contain {latitude} and {longitude}")
    return text


def _check_store_keys(keys: SecretStr) -> SecretStr:
    try:
        lengths = [
            len(b64decode(key, validate=True)) for key in entries_of(keys.get_secret_value())
        ]
    except ValueError:
        lengths = []
    if not lengths or any(length != STORE_KEY_BYTES for length in lengths):
        raise ValueError(
            f"must be {STORE_KEY_BYTES} bytes in base64, as `openssl rand -base64 {STORE_KEY_BYTES}` prints them;"
            " several keys are separated by commas"
        )
    return keys


def _check_sms_countries(text: str) -> str:
    check_countries(entries_of(text.upper()))
    return text


def _check_carriers(text: str) -> str:
    for pair in entries_of(text):
        number, _, account = map(str.strip, pair.partition("="))
        is_number = number == "*" or e164(number) == number
        if not is_number or not _ACCOUNT.fullmatch(account):
            raise ValueError("must look like +15550001111=bandwidth,*=twilio")
    return text


LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]
Days = Annotated[float, Field(ge=0)]
ListenText = Annotated[str, AfterValidator(_check_listen)]


class Settings(Section, prefix="SATBRIDGE_"):
    """The settings that several parts of the gateway share; `read(Settings)` reads them."""

    database_url: Annotated[
        SecretStr, AfterValidator(_absolute_url), Field(validate_default=True)
    ] = SecretStr("sqlite:///var/satbridge.sqlite3")
    state_dir: Annotated[Path, AfterValidator(Path.absolute), Field(validate_default=True)] = Path(
        "var"
    )
    store_key: Annotated[SecretStr, AfterValidator(_check_store_keys)] | None = None
    migrate: bool = True
    secret_key: SecretStr | None = None
    log_level: Annotated[LogLevel, BeforeValidator(str.upper)] = "INFO"
    log_format: Annotated[Literal["text", "json"], BeforeValidator(str.lower)] = "text"
    log_addresses: Annotated[Literal["full", "hashed"], BeforeValidator(str.lower)] = "full"

    mail_domain: Annotated[str, AfterValidator(_read_domain)] = "localhost"
    mail_receivers: Count = 1
    http: Annotated[Literal["serve", "haproxy", "direct"], BeforeValidator(str.lower)] = "serve"
    http_listen: ListenText = "127.0.0.1:8000"
    http_replicas: Count = 1
    admin_listen: Annotated[str, AfterValidator(_check_admin_listen)] = "127.0.0.1:8001"
    admin_require_totp: bool = False
    public_url: Annotated[str, AfterValidator(_check_public_url)] = "http://localhost:8000"
    metrics_token: Annotated[SecretStr, Field(min_length=16)] | None = None

    runtime: Annotated[Literal["ray", "inline"], BeforeValidator(str.lower)] = "ray"
    routers: Count | None = None
    ray_address: str | None = None
    worker_cpus: Annotated[float, Field(ge=0)] = 0.1
    accept_seconds: Positive = 25
    lease_seconds: Positive = 120
    tenure_seconds: Positive = 30
    due_poll_seconds: Positive = 1
    stalled_seconds: Positive = 600
    drain_seconds: Positive = 45
    unready_seconds: float = Field(default=0, ge=0)
    max_claimed: Count = 256
    max_waiting_per_subscriber: Annotated[int, Field(ge=0)] = 1000
    max_hourly_per_pair: Annotated[int, Field(ge=0)] = 60
    burst_hourly_per_author: Annotated[int, Field(ge=0)] = 50
    burst_hourly_per_device: Annotated[int, Field(ge=0)] = 150
    burst_hourly_per_domain: Annotated[int, Field(ge=0)] = 200
    burst_hourly_per_client: Annotated[int, Field(ge=0)] = 200
    burst_hourly_in_total: Annotated[int, Field(ge=0)] = 5000
    max_hourly_hints_per_device: Count = 6
    max_hourly_per_device: Annotated[int, Field(ge=0)] = 100
    max_daily_per_device: Annotated[int, Field(ge=0)] = 300
    max_daily_units_per_device: Annotated[int, Field(ge=0)] = 600
    sms_countries: Annotated[str, AfterValidator(_check_sms_countries)] = ""
    satellite_max_parts: Count = 4
    senders: Annotated[Literal["known", "open", "closed"], BeforeValidator(str.lower)] = "known"
    held_days: Annotated[int, Field(ge=1, le=90)] = 14
    max_held_per_subscriber: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    digest_hour: Annotated[int, Field(ge=0, le=23)] = 7
    mail_text: Annotated[Literal["own", "whole"], BeforeValidator(str.lower)] = "own"
    devices_per_message: Annotated[Literal["one", "all"], BeforeValidator(str.lower)] = "one"
    map_url: Annotated[str, AfterValidator(_check_map_url)] = (
        "https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}"
    )
    steps: str | None = None
    operator_addresses: Annotated[str, AfterValidator(_check_addresses)] = ""
    sos_longest_retry_seconds: Positive = 300
    sos_max_losses: Annotated[int, Field(ge=1, le=1000)] = 50
    emergency_words: Annotated[str, AfterValidator(_check_words)] = (
        "SOS,MAYDAY,HELP,HILFE,NOTFALL,AU SECOURS,AIUTO,AYUDA,SOCORRO"
    )

    mail_failure_notices: bool = True
    sms_failure_notices: bool = False
    device_failure_notices: bool = True
    max_hourly_notices: Annotated[int, Field(ge=0)] = 10
    sms_carriers: Annotated[str, AfterValidator(_check_carriers)] = ""

    mail_retry_seconds: Positive = 60
    mail_longest_retry_seconds: Positive = 4 * 3600
    mail_max_attempts: Count = 40
    mail_lifetime_hours: Positive = 120
    satellite_retry_seconds: Positive = 60
    satellite_longest_retry_seconds: Positive = 3600
    satellite_max_attempts: Count = 40
    satellite_lifetime_hours: Positive = 72
    sms_retry_seconds: Positive = 30
    sms_longest_retry_seconds: Positive = 1800
    sms_max_attempts: Count = 20
    sms_lifetime_hours: Positive = 24
    late_attempts: Count = 3

    keep_texts_days: Days = 365
    keep_dead_letters_days: Days = 90
    keep_messages_days: Days = 1095
    keep_positions_days: Days = 365
    max_kept: Annotated[int, Field(ge=0)] = 50_000
    max_kept_mb: Annotated[float, Field(ge=0)] = 500
    max_kept_per_subscriber: Annotated[int, Field(ge=0)] = 1000
    max_kept_mb_per_subscriber: Annotated[float, Field(ge=0)] = 20
    max_hourly_kept_per_subscriber: Annotated[int, Field(ge=0)] = 100
    min_free_mb: Annotated[float, Field(ge=0)] = 100
    store_busy_seconds: Positive = 5
    store_connect_seconds: Count = 5
    store_statement_seconds: Positive = 15
    store_max_text_bytes: int = Field(default=1_048_576, ge=1024)
    store_max_raw_bytes: int = Field(default=1_048_576, ge=1024)
    store_max_mail_body_bytes: int = Field(default=16_384, ge=0)

    def retry_policy(self, network: Network, *, is_urgent: bool = False) -> RetryPolicy:
        """Return the retry policy of deliveries on this network; the longest wait is shorter for urgent ones."""
        name = "mail" if network is Network.EMAIL else network.value
        longest = getattr(self, f"{name}_longest_retry_seconds")
        return RetryPolicy(
            first_wait_seconds=getattr(self, f"{name}_retry_seconds"),
            longest_wait_seconds=min(longest, self.sos_longest_retry_seconds)
            if is_urgent
            else longest,
            max_attempts=getattr(self, f"{name}_max_attempts"),
            lifetime_seconds=getattr(self, f"{name}_lifetime_hours") * 3600,
            max_losses=self.sos_max_losses,
        )

    @property
    def store_limits(self) -> StoreLimits:
        """The time-outs of the store, and the largest record that it accepts."""
        return StoreLimits(
            busy_seconds=self.store_busy_seconds,
            connect_seconds=self.store_connect_seconds,
            statement_seconds=self.store_statement_seconds,
            max_text_bytes=self.store_max_text_bytes,
            max_raw_bytes=self.store_max_raw_bytes,
            max_mail_body_bytes=self.store_max_mail_body_bytes,
        )

    @property
    def has_public_pages(self) -> bool:
        """Whether links in mails reach the pages: the public URL names another machine than the reader's own."""
        return urlsplit(self.public_url).hostname not in ("localhost", "127.0.0.1", "::1")

    @property
    def operators(self) -> tuple[Address, ...]:
        """The addresses that are told of every emergency."""
        return tuple(map(Address.of_contact, entries_of(self.operator_addresses)))

    @property
    def emergency_words_list(self) -> tuple[str, ...]:
        """The words, in capitals, that make a text from a device a call for help; none if switched off."""
        words = tuple(word.upper() for word in entries_of(self.emergency_words))
        return () if words == ("OFF",) else words

    @property
    def carriers(self) -> Mapping[str, str]:
        """The SMS account for each of our numbers; `*` stands for all others."""
        pairs = (pair.partition("=") for pair in entries_of(self.sms_carriers))
        return {number.strip(): account.strip() for number, _, account in pairs}

    @property
    def admin_address(self) -> Listen | None:
        """The address of the admin; None when it is switched off."""
        return None if self.admin_listen == OFF else Listen.parse(self.admin_listen)

    @property
    def admin_url(self) -> str:
        """The URL of the admin on its own machine; empty when it is switched off."""
        listen = self.admin_address
        if listen is None:
            return ""
        is_any = listen.host in ("0.0.0.0", "::")
        return f"http://{Listen('127.0.0.1', listen.port) if is_any else listen}/admin/"

    @property
    def sms_country_list(self) -> tuple[str, ...]:
        """The countries and prefixes that devices may text; none for those of the numbers that a subscriber knows."""
        return tuple(entries_of(self.sms_countries.upper()))

    @property
    def uses_sqlite(self) -> bool:
        """Whether the store is a SQLite file, which has one writer at a time."""
        return self.database_url.get_secret_value().startswith("sqlite")

    @property
    def router_count(self) -> int:
        """The number of routers and of ledgers: as set, else one on SQLite and two on PostgreSQL."""
        return self.routers or (1 if self.uses_sqlite else 2)
