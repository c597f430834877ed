"""The command `check`."""

import asyncio
import logging
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import typer

from messaging.cli.operation.status import subscriber_warnings
from messaging.cli.output import Json, print_json, print_table
from messaging.cli.store import open_settings_store
from messaging.cli.unknown_settings import unknown_settings
from messaging.config.account import Account
from messaging.config.ip_allowlist import LOOPBACK, is_peer
from messaging.config.settings import Listen, Settings
from messaging.errors import ConfigurationError, GatewayError, Unavailable
from messaging.gateway import Gateway, read_gateway
from messaging.mail.authentication.dns_check import (
    DnsFinding,
    MailHost,
    check_dns,
    is_public_domain,
)
from messaging.mail.authentication.resolver import Resolver
from messaging.mail.authentication.signing import load_signer
from messaging.mail.relay_client import check_relay
from messaging.mail.smtp.tls import load_certificate
from messaging.model.address_syntax import ascii_domain
from messaging.model.message import Network
from messaging.satellite.account import SatelliteClient
from messaging.service.exposure import listeners, readable_files
from messaging.service.ports import check_port
from messaging.service.state_file import read_running
from messaging.sms.account import SmsProvider
from messaging.store.console.device_network import (
    devices_of_unknown_networks,
    known_networks,
    networks_in_use,
)
from messaging.store.console.emergencies import without_emergency_contact
from messaging.store.db.health import clock_difference, write_problem
from messaging.store.db.room import (
    folder_room_problem,
    free_megabytes,
    has_no_store,
    store_folder,
    store_place,
)

app = typer.Typer()

MAX_CLOCK_SECONDS = 4.0
"""A delivery that was handed out is due again after this time, by the clock of another machine."""

MAX_NAMES = 20
"""How many subscribers one line names."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of `check` for one part. `ok` is None when the part is off."""

    part: str
    ok: bool | None
    said: str


@app.command()
def check(as_json: Json = False) -> None:
    """Print the configured and the missing parts, and test each connection. Sends nothing that costs."""
    # The findings say it; without a handler Python would print warnings above the table.
    logging.getLogger().addHandler(logging.NullHandler())
    gateway = read_gateway()
    settings = gateway.settings
    operators = settings.operator_addresses
    alarms = (
        f"{operators} is told of every emergency"
        if operators
        else "SATBRIDGE_OPERATOR_ADDRESSES is not set: only emergency contacts are told of an SOS"
    )
    store = find_out("store", partial(_check_store, settings))
    has_store = store.ok and not has_no_store(settings)
    no_room = folder_room_problem(settings)
    room = no_room or "the state folder and the folder of temporary files have room"
    findings = [
        store,
        Finding("room", not no_room, room),
        *_check_mail(gateway),
        *_check_dns(gateway),
        find_out("http-in", lambda: _check_http(gateway)),
        *_check_admin(gateway),
        *_check_satellites(gateway),
        *_check_sms(gateway),
        Finding("operator", bool(operators) or None, alarms),
        *(_check_contacts() if has_store else []),
        *(_check_devices(gateway) if has_store else []),
        *(_check_clock(settings) if store.ok else []),
        _check_files(gateway),
        _check_exposure(gateway),
        *_check_progress(gateway),
        *(Finding("setting", None, sentence) for sentence in unknown_settings()),
    ]
    if as_json:
        print_json(findings)
    else:
        words = {True: "ok", False: "FAILED", None: "off"}
        print_table("", ("part", "", ""), ((f.part, words[f.ok], f.said) for f in findings))
    if any(finding.ok is False for finding in findings):
        raise typer.Exit(1)


def _is_running(gateway: Gateway) -> bool:
    """Whether the service runs with these settings, so that its ports are taken by itself."""
    settings = gateway.settings
    return bool(settings.ray_address) or read_running(settings.state_dir) is not None


def _check_http(gateway: Gateway) -> str:
    settings = gateway.settings
    if not _is_running(gateway):
        check_port("SATBRIDGE_HTTP_LISTEN", settings.http_listen)
    return f"{settings.http_listen}; the world sees {settings.public_url} (SATBRIDGE_PUBLIC_URL)"


def _check_admin(gateway: Gateway) -> list[Finding]:
    """Return a finding when the admin cannot listen."""
    settings = gateway.settings
    if settings.admin_address is None or _is_running(gateway):
        return []
    try:
        check_port("SATBRIDGE_ADMIN_LISTEN", settings.admin_listen)
    except ConfigurationError as error:
        return [Finding("admin", False, str(error))]
    return []


def _check_store(settings: Settings) -> str:
    if has_no_store(settings):
        return _check_new_store(settings)
    open_settings_store()
    if problem := write_problem(settings):
        raise Unavailable(problem)
    folder = store_folder(settings)
    free = free_megabytes(folder) if folder else None
    return "can be written" + ("" if free is None else f"; {free:.0f} MB are free")


def _check_new_store(settings: Settings) -> str:
    """Check that the file of the store can be made, without making it."""
    place = Path(store_place(settings))
    folder = next(one for one in place.parents if one.exists())
    if not os.access(folder, os.W_OK):
        raise Unavailable(f"SATBRIDGE_DATABASE_URL: nothing can be written in {folder}")
    return f"there is none yet; `satbridge up` or `satbridge users add` makes {place}"


def _check_contacts() -> list[Finding]:
    """Name the subscribers without an emergency contact or a confirmed mailbox, and those who take all messages.

    Call it when the store is open.
    """
    findings = []
    if names := without_emergency_contact():
        shown = ", ".join(names[:MAX_NAMES]) + (", …" if len(names) > MAX_NAMES else "")
        findings.append(Finding("emergency", None, f"without an emergency contact: {shown}"))
    findings += [Finding(part, None, text) for part, text in subscriber_warnings()]
    return findings


def _check_devices(gateway: Gateway) -> list[Finding]:
    """Name the networks of devices that are unknown, or not configured. Call it when the store is open."""
    found = []
    if unknown := devices_of_unknown_networks():
        names = ", ".join(unknown[:MAX_NAMES]) + (", …" if len(unknown) > MAX_NAMES else "")
        repair = "correct them with: satbridge devices change SERIAL --new-network NETWORK"
        found.append(
            Finding("devices", False, f"of a network that there is not: {names}; {repair}")
        )
    off = [name for name in networks_in_use() if name in known_networks()]
    off = [name for name in off if name not in gateway.satellites]
    if off:
        said = f"have networks that are not configured: {', '.join(off)}; mail for them waits (451)"
        found.append(Finding("devices", None, said))
    return found


def _check_clock(settings: Settings) -> list[Finding]:
    """Compare the clock of this machine with that of the database server; a SQLite file has none."""
    try:
        ahead = clock_difference(settings)
    except Unavailable as error:
        return [Finding("clock", False, error.reason)]
    if ahead is None:
        return []
    place = "behind" if ahead > 0 else "ahead of"
    said = f"the clock of this machine is {abs(ahead):.1f} s {place} the database's"
    return [Finding("clock", abs(ahead) <= MAX_CLOCK_SECONDS, said)]


def _check_files(gateway: Gateway) -> Finding:
    """Name the files with messages and secrets that other users of this machine can read."""
    if found := readable_files(gateway.settings):
        names = ", ".join(map(str, found))
        return Finding(
            "files", False, f"every user of this machine can read {names}; chmod o= them"
        )
    if found := readable_files(gateway.settings, stat.S_IRWXG):
        names = ", ".join(map(str, found))
        return Finding("files", None, f"the group can read {names}")
    return Finding("files", True, "only this user can read the store and the secrets")


def _check_exposure(gateway: Gateway) -> Finding:
    """Name what listens beyond loopback: of the gateway that runs here, else of the settings."""
    running = read_running(gateway.settings.state_dir)
    if running is not None:
        found = [str(one) for one in listeners(running.pid)]
    else:
        settings = gateway.settings
        texts = (gateway.smtp.listen, gateway.smtp.proxy_listen, settings.http_listen)
        ports = [Listen.parse(text) for text in texts if text]
        ports += [settings.admin_address] if settings.admin_address else []
        found = [str(one) for one in ports if one.host not in ("127.0.0.1", "::1", "localhost")]
    text = f"beyond this machine: {', '.join(found)}" if found else "nothing beyond this machine"
    return Finding("listens", True, text)


def _check_progress(gateway: Gateway) -> list[Finding]:
    """Name the problem of the gateway that runs here, such as an account by which nothing is settled."""
    running = read_running(gateway.settings.state_dir)
    if running is None:
        return []
    if running.state != "running":
        return [Finding("running", None, f"{running.state}; {running.problem}".strip("; "))]
    return [Finding("running", not running.problem, running.problem or "everything moves")]


def find_out(part: str, check: Callable[[], str], where: str = "") -> Finding:
    """Run the check of one part. The finding is its result, or the reason of its error and `where` to look."""
    try:
        return Finding(part, True, check())
    except ConfigurationError as error:
        return Finding(part, False, str(error))
    except GatewayError as error:
        return Finding(part, False, f"{error.reason} ({where})" if where else error.reason)


def _check_mail(gateway: Gateway) -> list[Finding]:
    def receive() -> str:
        certificate = load_certificate(gateway.smtp)
        if not _is_running(gateway):
            check_port("SATBRIDGE_SMTP_LISTEN", gateway.smtp.listen)
            if gateway.smtp.proxy_listen:
                check_port("SATBRIDGE_SMTP_PROXY_LISTEN", gateway.smtp.proxy_listen)
        security = (
            f"STARTTLS offered; its certificate ends on {certificate.expires:%Y-%m-%d}"
            if certificate
            else "no STARTTLS: SATBRIDGE_SMTP_CERTIFICATE is not set"
        )
        return f"{gateway.smtp.listen} for {gateway.settings.mail_domain}; {security}"

    relay = gateway.relay
    if relay is None:
        sending = Finding("mail-out", None, "SATBRIDGE_RELAY_URL is not set")
    else:
        sender = f"postmaster@{ascii_domain(gateway.settings.mail_domain)}"
        operators = [
            one.value for one in gateway.settings.operators if one.network is Network.EMAIL
        ]
        where = f"SATBRIDGE_RELAY_URL: {relay.endpoint().host}"
        sending = find_out("mail-out", lambda: check_relay(relay, sender, operators), where)
    return [find_out("mail-in", receive), sending]


def _check_dns(gateway: Gateway) -> list[Finding]:
    """Compare the DNS records of the mail domain with those that it should have; of a public domain only."""
    domain = ascii_domain(gateway.settings.mail_domain)
    if not gateway.authentication.authentication:
        text = "SATBRIDGE_MAIL_AUTHENTICATION is false: every author is unproved"
        return [Finding("authors", None, text)]
    if gateway.dns.servers is None and not is_public_domain(domain):
        return []
    try:
        signer = load_signer(gateway.dkim, domain)
    except ConfigurationError as error:
        return [Finding("dns DKIM", False, str(error))]
    relay = gateway.relay.endpoint().host if gateway.relay else ""
    # Mail that a relay on this machine passes on leaves from the gateway's own address.
    is_local = relay in ("localhost", "") or is_peer(relay, LOOPBACK)
    host = MailHost(domain, gateway.smtp.hostname or domain, "" if is_local else relay)

    async def find() -> list[DnsFinding]:
        return await check_dns(Resolver(gateway.dns), host, signer)

    return [Finding(f"dns {one.record}", one.is_right, one.text) for one in asyncio.run(find())]


def _check_satellites(gateway: Gateway) -> list[Finding]:
    if not gateway.satellites:
        text = "no network is configured, such as SATBRIDGE_ROCKBLOCK_USERNAME"
        return [Finding("satellite", None, text)]
    return [
        find_out(name, partial(_check_login, account.connect()), _place_of(account))
        for name, account in gateway.satellites.items()
    ]


def _check_login(client: SatelliteClient | SmsProvider) -> str:
    async def check() -> str | None:
        try:
            return await client.check()
        finally:
            await client.aclose()

    return asyncio.run(check()) or "takes our credentials"


def _place_of(account: Account) -> str:
    """Return the variable of the URL of an account and the host in it; empty if it has none."""
    for field in ("url", "api_url"):
        if field in type(account).model_fields:
            host = urlsplit(str(getattr(account, field))).hostname
            return f"{account.variable(field)}: {host}" if host else ""
    return ""


def _check_sms(gateway: Gateway) -> list[Finding]:
    if not gateway.sms:
        text = "no provider is configured, such as SATBRIDGE_TWILIO_ACCOUNT_SID"
        return [Finding("sms", None, text)]
    public_url = gateway.settings.public_url
    return [
        find_out(name, partial(_check_login, account.connect(public_url)), _place_of(account))
        for name, account in gateway.sms.items()
    ]
