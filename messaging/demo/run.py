"""Runs the demo: simulators, the service, a subscriber with a device, and the live view."""

import secrets
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console

from messaging.config.env import read
from messaging.config.ip_allowlist import LOOPBACK
from messaging.config.settings import Settings
from messaging.demo.guide import guide
from messaging.demo.networks import (
    ACCOUNT_SID,
    ALICE,
    DEVICE,
    MAIL_SERVER,
    NUMBER,
    PASSWORD,
    Networks,
    free_port,
    run_networks,
)
from messaging.demo.watch import Watch
from messaging.gateway import Gateway
from messaging.mail.authentication.settings import AuthenticationSettings
from messaging.mail.relay import Relay
from messaging.mail.smtp.settings import SmtpSettings
from messaging.satellite.providers.hive.account import HiveAccount
from messaging.service.foreground import ForegroundService, service_of
from messaging.service.log_setup import set_up_logging
from messaging.service.signals import StopRequest, defer_signals
from messaging.sms.providers.twilio.account import TwilioAccount
from messaging.store.admission.terms import SenderMode
from messaging.store.console.contacts import add_contact
from messaging.store.console.directory import add_device, add_subscriber
from messaging.store.console.save import InvalidInput
from messaging.store.console.staff import set_staff_password

FOLDER = Path("var/demo")
LOOK_SECONDS = 0.3
REPORT_SECONDS = 2.0


def run_demo(stopped: StopRequest, seconds: float | None = None, runtime: str = "ray") -> None:
    """Run until it is `stopped`, or for so many seconds. Raises ConfigurationError."""
    console = Console(soft_wrap=True, highlight=False)
    console.print("Starting; this takes some seconds …")
    watch = Watch(console)
    http = f"127.0.0.1:{free_port(8000)}"
    with ExitStack() as exits:
        # The main thread lets these signals wait while Ray starts; a thread of the simulators would still take them.
        with defer_signals():
            networks = exits.enter_context(run_networks(f"http://{http}/sms/twilio", watch))
        gateway = _gateway(networks, http, runtime)
        set_up_logging("WARNING")
        with service_of(gateway) as service:
            stopped.wait_for_me()
            # They exist already when the demo ran before.
            with suppress(InvalidInput):
                add_subscriber("boop", NUMBER, senders=SenderMode.KNOWN)
            with suppress(InvalidInput):
                add_contact("boop", "alice", ALICE)
            with suppress(InvalidInput):
                add_device(
                    str(DEVICE), owner="boop", network="hive", networks=["hive"], nickname="boop's"
                )
            # The admin's login has a password of this run.
            password = secrets.token_urlsafe(9)
            set_staff_password("demo", password)
            admin = "demo", password
            console.print(guide(service.look(), networks, FOLDER, admin), markup=False)
            _watch(service, watch, stopped, seconds)
            console.print("Stopping …")


def _gateway(networks: Networks, http: str, runtime: str) -> Gateway:
    settings = read(
        Settings,
        runtime=runtime,
        database_url=SecretStr(f"sqlite:///{FOLDER}/satbridge.sqlite3"),
        state_dir=FOLDER,
        mail_domain="localhost",
        http_listen=http,
        admin_listen=f"127.0.0.1:{free_port(8001)}",
        public_url=f"http://{http}",
        log_level="WARNING",
    )
    hive = read(
        HiveAccount,
        url=f"{networks.hive}/hive",
        username=PASSWORD,
        password=SecretStr(PASSWORD),
        poll_seconds=1,
    )
    twilio = read(
        TwilioAccount,
        account_sid=ACCOUNT_SID,
        auth_token=SecretStr(PASSWORD),
        api_url=networks.twilio,
    )
    return Gateway(
        settings=settings,
        smtp=read(SmtpSettings, listen=f"127.0.0.1:{free_port(7420)}"),
        relay=read(Relay, url=SecretStr(networks.relay)),
        # The mail server in front, which has checked the authors, is on this machine.
        authentication=AuthenticationSettings(
            trusted_relays=LOOPBACK, authserv_id=MAIL_SERVER, authentication_seconds=2
        ),
        satellites={"hive": hive},
        sms={"twilio": twilio},
    )


def _watch(
    service: ForegroundService, watch: Watch, stopped: StopRequest, seconds: float | None
) -> None:
    ends = time.monotonic() + seconds if seconds else None
    next_report = 0.0
    while not stopped.wait(LOOK_SECONDS) and (ends is None or time.monotonic() < ends):
        watch.look()
        if time.monotonic() >= next_report:
            service.look()
            next_report = time.monotonic() + REPORT_SECONDS
    watch.look()
