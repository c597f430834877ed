"""Sends texts through an SMS provider: many at once, those of one recipient in turn, never twice knowingly."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TypeVar
from unicodedata import normalize

from cachetools import TTLCache

from messaging.errors import GatewayError, Rejected, Unavailable, Uncertain
from messaging.model.message import Delivery, Message, Outcome, SubmittedPart
from messaging.sending.attempt import attempt, lease_seconds_left, outcome_of
from messaging.sending.keyed_lock import KeyedLocks
from messaging.sending.outcome_cache import Emit, OutcomeCache
from messaging.sending.split import split
from messaging.sms.account import OutgoingText, SmsAccount
from messaging.sms.segments import segments

T = TypeVar("T")

KNOWN_IDS = 10_000


class SmsSender:
    """Hands deliveries to one provider. No I/O and no thread before the first use, so it can be pickled until then.

    At most `account.max_sends` requests run at once, each in a thread, each bounded in time. When an earlier attempt
    is uncertain, the provider is asked first whether it has the text. Two equal texts between the same two numbers
    within `account.lookup_hours` can then be told apart only if this sender sent the other one itself. Where the
    provider does not say what it charges, the segments of the text count. The gateway is at `public_url`.
    """

    def __init__(self, account: SmsAccount, public_url: str = "") -> None:
        self._account = account
        self._provider = account.connect(public_url)
        self._unreported = OutcomeCache()
        self._known: TTLCache[str, int] = TTLCache(KNOWN_IDS, account.lookup_hours * 3600)

    async def process_single(self, delivery: Delivery, emit: Emit) -> None:
        """Emit its outcome, or nothing when its lease had passed. Texts between the same two go in their order.

        What is urgent is the next to be sent, whatever waits. Behind batches of others its lease might pass each time.
        """
        message = delivery.message
        queue = nullcontext() if delivery.is_urgent else self._queue
        async with self._pairs.of((message.sender, message.recipient)), queue, self._slots:
            outcome = self._unreported.of(delivery) or await attempt(delivery, self._send)
        await self._unreported.report(outcome, emit)

    def close(self) -> None:
        """End the threads and the connections; those that are sending finish by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._provider.close()

    async def _send(self, delivery: Delivery) -> Outcome:
        """Send what earlier attempts left of the message, and report how far it came."""
        parts = self._parts(delivery.message)
        handed: list[SubmittedPart] = []
        searching = delivery.uncertain
        for number in range(delivery.parts_sent, len(parts)):
            part = parts[number]
            try:
                found = await self._find(delivery, part, handed) if searching else None
                searching = found is not None
                handed.append(found or await self._send_part(delivery, part, bool(handed)))
            except Exception as error:
                return outcome_of(delivery, error, *handed, parts_sent=number)
        return Outcome.sent(delivery, *handed, parts_sent=len(parts))

    def _parts(self, message: Message) -> list[OutgoingText]:
        body = _body(message)
        if not body:
            raise Rejected("the text is empty")
        bodies = split(body, utf16_units, self._account.max_characters, self._account.max_parts)
        sender, recipient = message.sender.value, message.recipient.value
        return [
            OutgoingText(sender, recipient, part, f"{message.id}-{number}")
            for number, part in enumerate(bodies, 1)
        ]

    async def _send_part(
        self, delivery: Delivery, part: OutgoingText, started: bool
    ) -> SubmittedPart:
        if started and lease_seconds_left(delivery) < self._account.timeout_seconds:
            raise Unavailable("no time was left for the rest of a long text")
        handed = await self._in_thread(lambda: self._provider.send(part))
        self._known[handed.network_id] = delivery.id
        return (
            handed if handed.billed_units else SubmittedPart(handed.network_id, segments(part.body))
        )

    async def _find(
        self, delivery: Delivery, part: OutgoingText, handed: Sequence[SubmittedPart]
    ) -> SubmittedPart | None:
        """Return this part as the provider has it, if an earlier attempt came that far. Raises Uncertain."""
        since = datetime.now(UTC) - timedelta(hours=self._account.lookup_hours)
        try:
            found = await self._in_thread(lambda: self._provider.find_sent(part, since))
        except GatewayError as error:
            raise Uncertain(f"whether it was sent could not be found out: {error.reason}") from None
        ids = [one.network_id for one in handed]
        for network_id in found:
            if network_id not in ids and self._known.get(network_id, delivery.id) == delivery.id:
                return SubmittedPart(network_id, segments(part.body))
        return None

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._account.max_sends, thread_name_prefix="sms")

    @cached_property
    def _pairs(self) -> KeyedLocks:
        return KeyedLocks()

    @cached_property
    def _queue(self) -> asyncio.Semaphore:
        # No more than there are slots wait for one: what is urgent, and does not stand here, is next.
        return asyncio.Semaphore(self._account.max_sends)

    @cached_property
    def _slots(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(self._account.max_sends)


def utf16_units(text: str) -> int:
    """Return the length of a text as SMS providers count it."""
    return len(text) + sum(c > "\uffff" for c in text)


def _body(message: Message) -> str:
    """Return what the phone shows: composed (fewer units), and without what no encoding can carry."""
    text = "\n".join(part for part in (message.subject.strip(), message.text.strip()) if part)
    return normalize("NFC", text).encode("utf-8", "replace").decode()
