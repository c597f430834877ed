"""Takes the webhooks of SMS providers: checks and reads them, and submits each record to the router."""

import logging
from dataclasses import replace

from messaging.errors import AuthorRefused, Rejected
from messaging.model.message import DeadLetter, Emit, Message, Receipt
from messaging.model.webhook import Webhook, take_each
from messaging.sms.account import Received, SmsAccount

log = logging.getLogger(__name__)


async def receive(account: SmsAccount, webhook: Webhook, emit: Emit, public_url: str) -> None:
    """Return when everything in the webhook is on disk.

    Stores a record that the router rejects as `DeadLetter`, because another call cannot help. Raises NotAuthentic when
    nothing was stored, and the first failure that is not final (Unavailable, or a bug).
    """

    async def take(inbound: Received) -> None:
        await offer(emit, inbound, webhook.body)

    await take_each(account.parse(webhook, public_url), take)


async def offer(emit: Emit, inbound: Received, raw: bytes) -> None:
    """Submit one record; when it is rejected, submit it again as a dead letter, so that it can be looked up.

    A text of an author whom its recipient refuses is stored as refused.
    """
    try:
        await emit(inbound)
    except Rejected as error:
        log.info("rejected: %s", error.reason, extra={"message_id": inbound.id})
        if isinstance(error, AuthorRefused) and isinstance(inbound, Message):
            await emit(replace(inbound, keeps_refusal=True))
        elif not isinstance(inbound, DeadLetter | Receipt):
            kept = DeadLetter(
                id=inbound.id,
                sender=inbound.sender,
                via=inbound.via,
                raw=raw,
                reason=error.reason,
                recipient=inbound.recipient,
                text=inbound.text if isinstance(inbound, Message) else "",
            )
            await offer(emit, kept, raw)
    except Exception as error:
        log.info("put off: %s", type(error).__name__, extra={"message_id": inbound.id})
        raise
