"""The simulated SBD service by e-mail on free ports, and a mail server for its mails."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from messaging.config.env import read
from messaging.mail.relay import Relay
from messaging.mail.send import RelaySubmitter
from messaging.mail.smtp.listener import MailReceiver
from messaging.mail.smtp.settings import SmtpSettings
from messaging.satellite.mailbox import SatelliteMailbox
from messaging.satellite.providers.sbdmail.account import SbdMailAccount
from messaging.simulator.sbdmail.server import SbdMailSimulator
from messaging.simulator.shared.modems import Modem
from messaging.simulator.shared.serving import Serving
from tests.support.eventually import eventually
from tests.support.satellite.directip_gateway import RecordingRouter
from tests.support.satellite.ground_control import post

IMEI = "300434060000000"
DOMAIN = "example.org"
MAIL = [{"to": "bob@example.net", "text": "Anchored at noon", "protocol": "email"}]


@dataclass(frozen=True)
class SbdMailService:
    simulator: SbdMailSimulator
    url: str

    def account(self, **settings: Any) -> SbdMailAccount:
        return sbdmail_account(self.simulator.relay_url, **settings)

    def uplink(self, **uplink: Any) -> dict[str, Any]:
        """Simulate a session; return the result of the first try."""
        return post(f"{self.url}/sim/uplinks", {"imei": IMEI, **uplink})

    async def deliver(self, **uplink: Any) -> dict[str, Any]:
        return await asyncio.to_thread(lambda: self.uplink(**uplink))


def sbdmail_account(relay_url: str, relay_seconds: float = 10, **settings: Any) -> SbdMailAccount:
    relay = read(Relay, url=relay_url, timeout_seconds=relay_seconds)
    fields = {"mailbox": "sbd", "peers": "127.0.0.1", "timeout_seconds": 25}
    account = read(SbdMailAccount, **{**fields, **settings})
    return account.with_submitter(RelaySubmitter(relay, DOMAIN), DOMAIN)


@contextlib.contextmanager
def sbdmail_service(*modems: Modem, **options: Any) -> Iterator[SbdMailService]:
    quick = {"recipient": f"sbd@{DOMAIN}", "waits_seconds": [0.1] * 50}
    simulator = SbdMailSimulator(modems or [Modem(IMEI)], **{**quick, **options})
    with simulator, Serving(simulator.app) as server:
        yield SbdMailService(simulator, server.url)


@contextlib.asynccontextmanager
async def mail_server(
    service: SbdMailService, taken: RecordingRouter, **settings: Any
) -> AsyncIterator[str]:
    """Run a mail server with the account's mailbox, and set its address in the simulator."""
    box = SatelliteMailbox(service.account(**settings), "sbdmail")
    receiver = MailReceiver(read(SmtpSettings, listen="127.0.0.1:0"), DOMAIN, mailboxes=[box])
    task = asyncio.create_task(receiver.run(taken.emit))
    try:
        await eventually(lambda: receiver.addresses)
        service.simulator.listener = str(receiver.addresses[0])
        yield service.simulator.listener
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=10)
