"""Takes what SMS providers call us with: checked, read, and handed to the router one thing after another."""

import logging

from messaging.errors import Rejected
from messaging.model.message import DeadLetter, Emit, Receipt
from messaging.model.webhook import Webhook, take_each
from messaging.sms.account import Received, SmsAccount

log = logging.getLogger(__name__)


async def receive(account: SmsAccount, webhook: Webhook, emit: Emit, public_url: str) -> None:
    """Return when everything in the webhook is on disk.

    What the router rejects is stored as `DeadLetter`, because coming back cannot help. Raises NotAuthentic, then
    nothing was stored; and the first failure that is not final (Unavailable, or a bug).
    """

    async def take(inbound: Received) -> None:
        await _offer(emit, inbound, webhook.body)

    await take_each(account.parse(webhook, public_url), take)


async def _offer(emit: Emit, inbound: Received, raw: bytes) -> None:
    """Hand over one thing; when it is rejected, hand it over again as undeliverable so that it can be looked up."""
    try:
        await emit(inbound)
    except Rejected as error:
        log.info("rejected: %s", error.reason, extra={"message_id": inbound.id})
        if not isinstance(inbound, DeadLetter | Receipt):
            kept = DeadLetter(
                id=inbound.id, sender=inbound.sender, via=inbound.via, raw=raw, reason=error.reason
            )
            await _offer(emit, kept, raw)
    except Exception as error:
        log.info("put off: %s", type(error).__name__, extra={"message_id": inbound.id})
        raise
