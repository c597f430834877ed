"""One gateway with an account at every provider, and the simulators that it talks to."""

import json
import smtplib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx

from messaging.simulator.bandwidth.api import Account
from messaging.simulator.bandwidth.push import CallbackHabits
from messaging.simulator.bandwidth.server import BandwidthSimulator
from messaging.simulator.mail.session import ReceivedMail
from messaging.simulator.sbdmail.server import SbdMailSimulator
from messaging.simulator.shared.modems import Modem
from messaging.simulator.shared.serving import Serving
from tests.support.acceptance.running_gateway import DOMAIN, Process, RunningGateway, running
from tests.support.ports import free_port

FRIEND = "+15551230000"
OPERATOR = "operator@example.net"
PASSWORD = "a password that nobody may see"
# One modem carries packets of the protobuf codec, the other plain text.
ROCKBLOCK_IMEI, TYPING_IMEI = "300234010753370", "300234010753380"
CLOUDLOOP_THING, CLOUDLOOP_IMEI = "DgXeoxwVPMyrdOBJeEGlqKRJLbajQkzZ", "300234010753371"
CLOUDLOOP_TOKEN, CLOUDLOOP_SECRET = "a token of the things", "s3cret-that-stands-in-the-path"
DIRECTIP_IMEI, SBDMAIL_IMEI = "300434060000000", "300434060000001"
MAILBOX = "sbd-7f3k2q"
GARMIN_IMEI, GARMIN_KEY, GARMIN_TOKEN = "300434030000001", "an-api-key-of-garmin", "a-garmin-token"
GARMIN_SECRET = "a-client-secret-of-32-letters-or-more"
SPOT_MESSENGER, SPOT_FEED = "0-8356068", "a-feed-id-of-spot"
SPOT_PATH = "/spot-main-web/consumer/rest-api/2.0/public/feed"
BANDWIDTH_NUMBER = "+15550002222"

Settings = dict[str, str]


@dataclass(frozen=True)
class AllNetworks:
    """The gateway, and the URL below which each simulator has its switches."""

    gateway: RunningGateway
    rockblock: str
    cloudloop: str
    garmin: str
    spot: str
    directip: str
    sbdmail: str
    bandwidth: BandwidthSimulator

    def add(self, owner: str, number: str, serial: str, network: str, *options: str) -> None:
        """Add a subscriber with a device by command."""
        self.gateway.satbridge("users", "add", owner, f"--number={number}")
        device = (serial, f"--owner={owner}", f"--network={network}", *options)
        self.gateway.satbridge("devices", "add", *device)

    def findings(self) -> dict[str, dict[str, Any]]:
        """Return each finding of `satbridge check`, by its part.

        The exit code is left open: SPOT, asked beside the gateway, may be asked too soon, as its page says.
        """
        check = Process("check", "--json", environment=self.gateway.environment)
        check.process.wait(180)
        check.stop()
        return {finding["part"]: finding for finding in json.loads(check.output)}


def send(gateway: RunningGateway, to: str, subject: str, text: str, author: str = "") -> None:
    """Send a mail to the gateway."""
    message = EmailMessage()
    message["From"] = author or "alice@example.net"
    message["To"], message["Subject"] = to, subject
    message.set_content(text)
    with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=30) as client:
        client.send_message(message)


def mails(gateway: RunningGateway, recipient: str, words: str) -> list[ReceivedMail]:
    """Return the mails to this recipient that have these words in their subject or text."""

    def text_of(mail: ReceivedMail) -> str:
        body = mail.message.get_body(("plain",))
        return f"{mail.message['Subject']}\n{body.get_content() if body else ''}"

    own = [mail for mail in gateway.sink.received if recipient in mail.recipients]
    return [mail for mail in own if words in text_of(mail)]


def request(method: str, url: str, content: Any = None) -> Any:
    """Use a switch of a simulator; return its answer."""
    answer = httpx.request(method, url, json=content, timeout=40)
    answer.raise_for_status()
    return answer.json()


@contextmanager
def all_networks(folder: Path) -> Iterator[AllNetworks]:
    """Start every simulator, the gateway, and tell those that call it where it is."""
    with ExitStack() as exits:
        rockblock, at_rockblock = _rockblock(exits)
        cloudloop, at_cloudloop = _cloudloop(exits)
        garmin, at_garmin = _garmin(exits)
        spot, at_spot = _spot(exits)
        directip, at_directip = _directip(exits)
        sbdmail, sbdmail_url, at_sbdmail = _sbdmail(exits)
        bandwidth, at_bandwidth = _bandwidth(exits)
        modems = {**at_rockblock, **at_cloudloop, **at_directip, **at_sbdmail}
        settings = {
            **modems,
            **at_garmin,
            **at_spot,
            **at_bandwidth,
            "OPERATOR_ADDRESSES": OPERATOR,
        }
        database = f"sqlite:///{folder}/store.sqlite3"
        gateway = exits.enter_context(running(database, folder, **settings))
        # The service that takes mails to modems is the relay of all other mails too.
        gateway.sink = sbdmail.sink
        gateway.satbridge("users", "change", "user1", "--number", BANDWIDTH_NUMBER)
        bandwidth.callback_url = f"{gateway.http}/sms/bandwidth"
        hook = {"url": f"{gateway.http}/satellite/garmin/garmin"}
        request("PUT", f"{garmin}/sim/portal", hook)
        yield AllNetworks(
            gateway, rockblock, cloudloop, garmin, spot, directip, sbdmail_url, bandwidth
        )


def _simulator(exits: ExitStack, *arguments: str) -> tuple[Process, str]:
    process = Process("simulate", *arguments, "--port=0")
    exits.callback(process.stop)
    return process, process.line_with(" at http").rpartition(" ")[2]


def _rockblock(exits: ExitStack) -> tuple[str, Settings]:
    modems = [f"--modem={imei}" for imei in (ROCKBLOCK_IMEI, TYPING_IMEI)]
    login = ["--username=boss", f"--password={PASSWORD}"]
    process, url = _simulator(exits, "rockblock", *modems, *login)
    return url.removesuffix("/rockblock"), {
        "ROCKBLOCK_URL": url,
        "ROCKBLOCK_USERNAME": "boss",
        "ROCKBLOCK_PASSWORD": PASSWORD,
        "ROCKBLOCK_PUBLIC_KEY": process.line_with("ROCKBLOCK_PUBLIC_KEY=").partition("=")[2],
        "ROCKBLOCK_TIMEOUT_SECONDS": "4",
    }


def _cloudloop(exits: ExitStack) -> tuple[str, Settings]:
    thing = f"--thing={CLOUDLOOP_IMEI}={CLOUDLOOP_THING}"
    _, url = _simulator(exits, "cloudloop", thing, f"--token={CLOUDLOOP_TOKEN}")
    return url, {
        "CLOUDLOOP_ACCOUNTS": "north",
        "CLOUDLOOP_NORTH_URL": url,
        "CLOUDLOOP_NORTH_TOKEN": CLOUDLOOP_TOKEN,
        "CLOUDLOOP_NORTH_WEBHOOK_SECRET": CLOUDLOOP_SECRET,
        "CLOUDLOOP_NORTH_TIMEOUT_SECONDS": "4",
        "CLOUDLOOP_NORTH_DELIVERED_STATUSES": "DELIVERED",
        "CLOUDLOOP_NORTH_TRACE_SECONDS": "0.5",
    }


def _garmin(exits: ExitStack) -> tuple[str, Settings]:
    device = [f"--device={GARMIN_IMEI}", f"--api-key={GARMIN_KEY}", f"--token={GARMIN_TOKEN}"]
    _, url = _simulator(exits, "garmin", *device)
    return url.removesuffix("/api"), {
        "GARMIN_URL": url,
        "GARMIN_API_KEY": GARMIN_KEY,
        "GARMIN_WEBHOOK_TOKEN": GARMIN_TOKEN,
        "GARMIN_OAUTH_CLIENT_ID": "garmin",
        "GARMIN_OAUTH_CLIENT_SECRET": GARMIN_SECRET,
        "GARMIN_TIMEOUT_SECONDS": "4",
    }


def _spot(exits: ExitStack) -> tuple[str, Settings]:
    limits = ("--least-seconds=0.4", "--block-seconds=0.5")
    _, url = _simulator(exits, "spot", f"--feed={SPOT_FEED}", *limits)
    return url.removesuffix(SPOT_PATH), {
        "SPOT_URL": url,
        "SPOT_FEEDS": SPOT_FEED,
        "SPOT_RECIPIENTS": f"mum@example.net,{FRIEND}",
        "SPOT_FEED_SECONDS": "2.1",
        "SPOT_POLL_SECONDS": "0.5",
        # The command `check` may ask just before the gateway, which is then blocked.
        "SPOT_BLOCKED_SECONDS": "1",
        "SPOT_TIMEOUT_SECONDS": "4",
    }


def _directip(exits: ExitStack) -> tuple[str, Settings]:
    listen = f"127.0.0.1:{free_port()}"
    options = [f"--modem={DIRECTIP_IMEI}", f"--listener={listen}", "--speed=10"]
    process, url = _simulator(exits, "directip", *options, "--gateway-port=0")
    return url, {
        "DIRECTIP_LISTEN": listen,
        "DIRECTIP_GATEWAY": process.line_with("DIRECTIP_GATEWAY=").partition("=")[2],
        "DIRECTIP_PEERS": "127.0.0.1",
        "DIRECTIP_TIMEOUT_SECONDS": "4",
        "DIRECTIP_CREDIT_BYTES": "30",
    }


def _sbdmail(exits: ExitStack) -> tuple[SbdMailSimulator, str, Settings]:
    listen = f"127.0.0.1:{free_port()}"
    simulator = SbdMailSimulator(
        [Modem(SBDMAIL_IMEI)], listener=listen, recipient=f"{MAILBOX}@{DOMAIN}"
    )
    exits.enter_context(simulator)
    return (
        simulator,
        exits.enter_context(Serving(simulator.app)).url,
        {
            "SMTP_LISTEN": listen,
            "RELAY_URL": simulator.relay_url,
            "SBDMAIL_MAILBOX": MAILBOX,
            "SBDMAIL_PEERS": "127.0.0.0/8",
            "SBDMAIL_TIMEOUT_SECONDS": "5",
            "SBDMAIL_CREDIT_BYTES": "30",
        },
    )


def _bandwidth(exits: ExitStack) -> tuple[BandwidthSimulator, Settings]:
    account = Account(
        account_id="9900000",
        application_id="demo",
        username="boss",
        password=PASSWORD,
        numbers=frozenset([BANDWIDTH_NUMBER]),
    )
    habits = CallbackHabits(username="caller", password=PASSWORD, max_tries=50, retry_seconds=0.5)
    simulator = BandwidthSimulator(account, callbacks=habits)
    return simulator, {
        "BANDWIDTH_ACCOUNT_ID": "9900000",
        "BANDWIDTH_APPLICATION_ID": "demo",
        "BANDWIDTH_USERNAME": "boss",
        "BANDWIDTH_PASSWORD": PASSWORD,
        "BANDWIDTH_CALLBACK_USERNAME": "caller",
        "BANDWIDTH_CALLBACK_PASSWORD": PASSWORD,
        "BANDWIDTH_API_URL": f"{exits.enter_context(Serving(simulator.app)).url}/api/v2",
        "BANDWIDTH_TIMEOUT_SECONDS": "4",
        "SMS_CARRIERS": f"{BANDWIDTH_NUMBER}=bandwidth,*=twilio",
    }
