"""A gateway in one process without Ray, and the simulated networks around it."""

import smtplib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from messaging.gateway import Gateway
from messaging.model.message import Address, Message, Network
from messaging.pipeline import MAIL_IN, declare
from messaging.satellite.codecs.protobuf import display_of
from messaging.simulator.hive.server import HiveSimulator
from messaging.simulator.hive.state import HiveDevice
from messaging.simulator.mail.server import MailSink
from messaging.simulator.shared.device_payload import device_payload
from messaging.simulator.twilio.server import TwilioSimulator
from messaging.streaming import InlineJob
from tests.support.eventually import eventually

NUMBER, FRIEND = "+15550001111", "+15551230000"

ACCOUNT_SID = "AC" + "2" * 32


class World:
    """The outside of a gateway in a test."""

    def __init__(self) -> None:
        self.hive = HiveSimulator([HiveDevice(7), HiveDevice(8)])
        self.twilio = TwilioSimulator(ACCOUNT_SID, "token", numbers=[NUMBER])
        self.sink = MailSink()

    def downlinks(self) -> list[tuple[str, str]]:
        packets = self.hive.state.downlinks()
        return [line for packet in packets for line in display_of(packet.data)]


@asynccontextmanager
async def running(gateway: Gateway) -> AsyncIterator[InlineJob]:
    async with InlineJob(declare(gateway), patience_seconds=10) as job:
        await eventually(lambda: job.operator(MAIL_IN).addresses)
        try:
            yield job
        finally:
            # A thread: it would keep the test run from ending.
            job.operator("due").close()


def text(sender: str, recipient: str, body: str, key: str = "1") -> Message:
    return Message(
        id=key.rjust(32, "0"),
        sender=Address(Network.SMS, sender),
        recipient=Address(Network.SMS, recipient),
        text=body,
        via="twilio",
    )


def send_mail(job: InlineJob, recipient: str, subject: str, body: str) -> None:
    port = job.operator(MAIL_IN).addresses[0].port
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.sendmail("alice@example.net", recipient, f"Subject: {subject}\n\n{body}\n")


def uplink(world: World, device: int, to: str, body: str) -> None:
    protocol = "email" if "@" in to else "sms"
    payload = device_payload([{"text": body, "to": to, "protocol": protocol}])
    world.hive.state.put_uplink(device, payload)
