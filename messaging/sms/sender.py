"""Sends texts through an SMS provider: many at once, those of one pair in order, never twice knowingly."""

import asyncio
from collections.abc import Hashable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from cachetools import TTLCache

from messaging.errors import GatewayError, NotBegun, Uncertain
from messaging.model.message import Delivery, Message, Outcome, SubmittedPart
from messaging.sending.fair_slots import FairSlots
from messaging.sending.sender import Begin, lease_seconds_left, outcome_of
from messaging.sms.account import OutgoingText, SmsAccount
from messaging.sms.segments import segments

KNOWN_IDS: Final = 10_000
NO_TIME: Final = "no time was left to send it, or the rest of it"


class SmsSender:
    """Sends through one account, with `max_sends` requests at a time. The gateway is at `public_url`.

    When an earlier attempt is uncertain, the provider is asked first whether it has the text. Two equal texts between
    the same two numbers within `lookup_hours` can be told apart only if this sender sent the other one itself. Where
    the provider does not say what it charges, the segments of the text count.
    """

    def __init__(self, account: SmsAccount, public_url: str = "") -> None:
        self._account = account
        self._public_url = public_url
        self._provider = account.connect(public_url)
        self._known: TTLCache[str, int] = TTLCache(KNOWN_IDS, account.lookup_hours * 3600)
        self._requests = FairSlots(account.max_sends)

    def __reduce__(self) -> tuple[type["SmsSender"], tuple[SmsAccount, str]]:
        """Pickle the arguments only."""
        return type(self), (self._account, self._public_url)

    def order_key(self, delivery: Delivery) -> Hashable:
        """Return the pair of numbers."""
        return delivery.message.sender, delivery.message.recipient

    async def send(self, delivery: Delivery, begin: Begin) -> Outcome | None:
        """Send the parts that the provider does not have yet, in order, until one fails."""
        async with self._requests.slot(delivery.lane, is_urgent=delivery.is_urgent):
            attempt = await begin(delivery)
            if attempt is None:
                return None
            submitted: list[SubmittedPart] = []
            position, searching = delivery.parts_sent, delivery.uncertain
            try:
                async with asyncio.timeout(max(lease_seconds_left(attempt), 0)):
                    texts = self._split(delivery.message)
                    while position < len(texts):
                        self._require_time(attempt)
                        part = (
                            await self._find(delivery, texts[position], submitted)
                            if searching
                            else None
                        )
                        # An earlier attempt sent no part behind the first one that is not found.
                        searching = part is not None
                        if part is None:
                            part = await self._submit(attempt, texts[position])
                        submitted.append(part)
                        position += 1
            except Exception as error:
                return outcome_of(delivery, error, *submitted, parts_sent=position)
        return Outcome.sent(delivery, *submitted, parts_sent=len(texts))

    async def close(self) -> None:
        """Close the connections to the provider."""
        await self._provider.aclose()

    def _split(self, message: Message) -> list[OutgoingText]:
        """Return the texts of a message. Raises Rejected."""
        sender, recipient = message.sender.value, message.recipient.value
        return [
            OutgoingText(sender, recipient, part, f"{message.id}-{number}")
            for number, part in enumerate(self._account.write_texts(message), 1)
        ]

    async def _submit(self, attempt: Delivery, text: OutgoingText) -> SubmittedPart:
        """Send one part. Raises NotBegun when a search has taken the time for it."""
        self._require_time(attempt)
        part = await self._provider.send(text)
        self._known[part.network_id] = attempt.id
        return part if part.billed_units else SubmittedPart(part.network_id, segments(text.body))

    def _require_time(self, attempt: Delivery) -> None:
        """Raise NotBegun when the lease might cut the next request off."""
        if lease_seconds_left(attempt) < self._account.timeout_seconds:
            raise NotBegun(NO_TIME)

    async def _find(
        self, delivery: Delivery, text: OutgoingText, submitted: Sequence[SubmittedPart]
    ) -> SubmittedPart | None:
        """Return this part as the provider has it, if an earlier attempt came that far. Raises Uncertain."""
        since = datetime.now(UTC) - timedelta(hours=self._account.lookup_hours)
        try:
            found = await self._provider.find_sent(text, since)
        except GatewayError as error:
            raise Uncertain(f"whether it was sent could not be found out: {error.reason}") from None
        ids = [part.network_id for part in submitted]
        for network_id in found:
            if network_id not in ids and self._known.get(network_id, delivery.id) == delivery.id:
                return SubmittedPart(network_id, segments(text.body))
        return None
