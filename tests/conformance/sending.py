"""Sends through any account, as the pipeline does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from messaging.model.message import Address, Delivery, Message, Network, Outcome
from messaging.satellite.account import SatelliteAccount
from messaging.satellite.sender import SatelliteSender
from messaging.sending.sender import Sender, SenderOperator
from messaging.sms.sender import SmsSender
from tests.conformance.stand import TEXT, AnyAccount, Stand
from tests.support.begins import MemoryBegins
from tests.support.send_deliveries import outcomes_of


@asynccontextmanager
async def sending(account: AnyAccount) -> AsyncIterator[SenderOperator]:
    sender = SenderOperator(lambda: sender_of(account), MemoryBegins)
    try:
        yield sender
    finally:
        await sender.close()


def sender_of(account: AnyAccount) -> Sender:
    if isinstance(account, SatelliteAccount):
        return SatelliteSender(account, 4)
    return SmsSender(account)


def delivery(stand: Stand, text: str = TEXT, *, seconds: float = 30) -> Delivery:
    by_satellite = isinstance(stand.account, SatelliteAccount)
    message = Message(
        id=text.replace(" ", "")[:32],
        sender=Address(Network.EMAIL, "alice@example.com")
        if by_satellite
        else Address(Network.SMS, "+15550001111"),
        recipient=Address(Network.SATELLITE if by_satellite else Network.SMS, stand.recipient),
        text=text,
        via=stand.account.name,
    )
    lease = datetime.now(UTC) + timedelta(seconds=seconds)
    return Delivery(id=1, message=message, attempt=1, lease_until=lease)


async def outcome_of(sender: SenderOperator, given: Delivery) -> Outcome:
    [outcome] = await outcomes_of(sender, given)
    return outcome
