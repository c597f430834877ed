"""Takes what satellite providers call us with: checked, read, and handed to the router one thing after another."""

from messaging.model.message import Emit, Receipt
from messaging.model.webhook import Webhook, take_each
from messaging.satellite.account import Packet, WebhookAccount
from messaging.satellite.uplink import offer_packet


async def receive(account: WebhookAccount, webhook: Webhook, emit: Emit, public_url: str) -> None:
    """Return when everything in the webhook is on disk, as messages or as undeliverable.

    Raises NotAuthentic, then nothing was stored; and the first failure that is not final (Unavailable, or a bug).
    """

    async def take(brought: Packet | Receipt) -> None:
        if isinstance(brought, Receipt):
            await emit(brought)
        else:
            await offer_packet(brought, account.name, emit)

    await take_each(account.parse(webhook, public_url), take)
