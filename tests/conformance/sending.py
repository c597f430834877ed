"""Sends through any account, as the pipeline does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from messaging.model.message import Address, Delivery, Message, Network, Outcome
from messaging.satellite.account import SatelliteAccount
from messaging.satellite.sender import SatelliteSender
from messaging.sms.sender import SmsSender
from tests.conformance.stand import TEXT, AnyAccount, Stand
from tests.support.send_deliveries import outcomes_of

Sender = SatelliteSender | SmsSender


@asynccontextmanager
async def sending(account: AnyAccount) -> AsyncIterator[Sender]:
    if isinstance(account, SatelliteAccount):
        satellite = SatelliteSender(account, 4)
        try:
            yield satellite
        finally:
            await satellite.close()
    else:
        sms = SmsSender(account)
        try:
            yield sms
        finally:
            sms.close()


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


async def outcome_of(sender: Sender, given: Delivery) -> Outcome:
    [outcome] = await outcomes_of(sender, given)
    return outcome
