"""Ingest of the webhooks of satellite providers: authenticated, parsed, and offered to the router in order."""

from messaging.model.message import Emit, Receipt
from messaging.model.webhook import Webhook, take_each
from messaging.satellite.account import Packet, WebhookAccount
from messaging.satellite.uplink import offer_packet


async def receive(account: WebhookAccount, webhook: Webhook, emit: Emit, public_url: str) -> None:
    """Return when the whole webhook is on disk, as messages or dead letters.

    Raises NotAuthentic (then nothing was stored), or the first failure that is not final (Unavailable, or a bug).
    """

    async def take(content: Packet | Receipt) -> None:
        if isinstance(content, Receipt):
            await emit(content)
        else:
            await offer_packet(content, account.name, emit, account.max_texts_per_packet)

    await take_each(account.parse(webhook, public_url), take)
