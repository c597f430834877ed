"""The source of texts that no webhook brought: lists those of an account, and takes the missing ones."""

import asyncio
import logging
from abc import abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Protocol
from urllib.parse import urlencode

from pydantic import Field

from messaging.model.message import Emit
from messaging.model.webhook import take_each
from messaging.sending.backoff import wait_seconds
from messaging.sending.failure_status import FailureStatus, iso, reason_of
from messaging.sending.poll_lease import STAND_BY_SECONDS, PollLease, pause, release
from messaging.sms.account import Received, SmsAccount
from messaging.sms.inbound import record_ids
from messaging.sms.webhook import offer

log = logging.getLogger(__name__)

SETTLE_SECONDS: Final = 60.0
"""The age from which a text is taken: until then its webhook may still come, and says more than the list."""
RETRY_SECONDS: Final = 1.0
LONGEST_RETRY_SECONDS: Final = 300.0
FUTURE_TOLERANCE: Final = timedelta(minutes=10)
"""How far the clock of a provider may be ahead; a text with a later time counts as settled."""


@dataclass(frozen=True, slots=True)
class RoundLimits:
    """The bounds of one round.

    It looks at `max_listed` texts and takes `max_texts` of them; the next round takes the others. It ends after
    `max_failures`, because then the store or the router is away.
    """

    max_texts: int = 10_000
    max_listed: int = 200_000
    max_failures: int = 20


ROUND_LIMITS: Final = RoundLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedText:
    """One text in a provider's list. `form` has the fields of its webhook, as far as the list has them.

    `at` is the time at which the provider took it, `is_final` whether its status stays, `media` the number of pictures
    whose links are not in `form` yet.
    """

    network_id: str
    at: datetime
    is_inbound: bool
    is_final: bool
    form: Mapping[str, str]
    sender: str
    recipient: str
    media: int = 0

    @property
    def raw(self) -> bytes:
        """The bytes that a webhook with these fields would have."""
        return urlencode(self.form).encode()


class TextList(Protocol):
    """A client that lists the texts of its account, in and out. It does no I/O before the first call."""

    def pages(self, since: datetime) -> AsyncIterator[Sequence[ListedText]]:
        """Yield the texts since then in pages, the newest first; older ones may follow. Raises Unavailable."""

    async def add_media(self, text: ListedText) -> ListedText:
        """Return the text with the links to its pictures. Raises Unavailable."""

    async def aclose(self) -> None:
        """Close the connections that are open."""


class FetchedAccount(SmsAccount):
    """The settings of a provider with a list of texts, which is asked at the start and every `fetch_minutes`; 0: never.

    Texts that are older than `fetch_hours` are not taken any more.
    """

    fetch_minutes: Annotated[float, Field(ge=0, le=1440)] = 5
    fetch_hours: Annotated[float, Field(gt=0, le=720)] = 72

    @property
    @abstractmethod
    def history(self) -> str:
        """The name of the list at the provider, under which the store keeps how far it was read."""

    @abstractmethod
    def connect_list(self) -> TextList:
        """Return the client of the list; it does no I/O yet."""

    @abstractmethod
    def read(self, text: ListedText) -> list[Received]:
        """Return the records that the text brings: those that its webhook would have brought. Pure."""


class FetchStore(Protocol):
    """The store, as far as a fetcher asks it. Blocking; every method raises Unavailable."""

    def since(self) -> datetime:
        """Return the time from which texts may be missing; at the very first call that is now."""

    def known(self, ids: Collection[str]) -> Collection[str]:
        """Return those of these ids that are stored."""

    def own(self, numbers: Collection[str]) -> Collection[str]:
        """Return those of these numbers that belong to subscribers."""

    def unsettled(self, network_ids: Collection[str]) -> Collection[str]:
        """Return those of these texts that were sent and have no final receipt."""

    def advance(self, until: datetime) -> None:
        """Note that every text until then is taken."""


class SmsFetcher:
    """The source of one account's missed texts and receipts. Idempotent with its webhook: both give the same ids.

    The `lease` makes one of several services on a store fetch. Picklable until it runs.
    """

    def __init__(
        self,
        account: FetchedAccount,
        via: str,
        store: FetchStore,
        lease: PollLease,
        settle_seconds: float = SETTLE_SECONDS,
        limits: RoundLimits = ROUND_LIMITS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._account = account
        self._via = via
        self._store = store
        self._lease = lease
        self._settle_seconds = settle_seconds
        self._limits = limits
        self._now = now
        self._client = account.connect_list()
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()
        self._stopped.set()
        self._started_at = now()
        self._is_standby = False
        self._last_fetch_at: datetime | None = None
        self._failure = FailureStatus(f"fetching from {via}", now)
        self._taken = 0

    def __reduce__(
        self,
    ) -> tuple[
        type["SmsFetcher"], tuple[FetchedAccount, str, FetchStore, PollLease, float, RoundLimits]
    ]:
        """Pickle the settings only, without connections and counts."""
        return type(self), (
            self._account,
            self._via,
            self._store,
            self._lease,
            self._settle_seconds,
            self._limits,
        )

    async def run(self, emit: Emit) -> None:
        """Fetch until drained. Failures of the provider, the store or the router are retried without end."""
        self._stopped.clear()
        self._started_at = self._now()
        failures = 0
        try:
            while not self._stopping.is_set():
                try:
                    await self._round(emit)
                except Exception as error:
                    failures += 1
                    self._failure.note(error)
                    after = getattr(error, "retry_after_seconds", None)
                    seconds = wait_seconds(failures, RETRY_SECONDS, LONGEST_RETRY_SECONDS, after)
                else:
                    failures = 0
                    seconds = self._account.fetch_minutes * 60
                    if self._is_standby:
                        seconds = min(seconds, STAND_BY_SECONDS)
                await pause(seconds, self._stopping)
        finally:
            await release(self._lease, self._via)
            self._stopped.set()
            await self._client.aclose()

    async def drain(self) -> None:
        """Finish the request in work, then stop; returns when `run` has returned."""
        self._stopping.set()
        await self._stopped.wait()

    def status(self) -> dict[str, object]:
        """Return the number of texts and receipts taken, the failure, and times in UTC (ISO 8601, or None)."""
        return {
            "via": self._via,
            "standing_by": self._is_standby,
            "last_fetch": iso(self._last_fetch_at),
            **self._failure.fields(),
            "fetched": self._taken,
        }

    async def _round(self, emit: Emit) -> None:
        """List what may be missing, take it, and note how far that reaches. Raises the first failure at the end."""
        self._is_standby = not await asyncio.to_thread(self._lease.acquire)
        if self._is_standby:
            return
        began = self._now()
        since = max(
            await asyncio.to_thread(self._store.since),
            began - timedelta(hours=self._account.fetch_hours),
        )
        missing, until = await self._list(since, began)
        if missing:
            log.info("%s: %d texts or receipts came by no webhook", self._via, len(missing))
        await self._take(missing, emit)
        if self._stopping.is_set():
            return
        await asyncio.to_thread(self._store.advance, min(until, began))
        self._last_fetch_at = self._now()
        self._failure.clear()

    async def _list(self, since: datetime, began: datetime) -> tuple[list[ListedText], datetime]:
        """Return the missing texts, oldest first, and the time until which these are all."""
        # The list begins with the newest: of too many, those that came first are kept.
        found: deque[ListedText] = deque(maxlen=self._limits.max_texts)
        listed: set[str] = set()
        until, number = since, 0
        settled_at = max(since, began - timedelta(seconds=self._settle_seconds))
        async for listed_page in self._client.pages(since):
            page = [
                replace(text, at=settled_at) if text.at > began + FUTURE_TOLERANCE else text
                for text in listed_page
            ]
            new = [text for text in page if text.network_id not in listed and text.at >= since]
            listed.update(text.network_id for text in new)
            missing = await self._select(new, began)
            found.extend(missing)
            number += len(missing)
            until = max([until, *(text.at for text in new)])
            if not new or self._stopping.is_set():
                break
            if len(listed) >= self._limits.max_listed:
                log.warning("%s: only the newest %d texts are listed", self._via, len(listed))
                until = since
                break
        # Texts of one second stay in their order.
        texts = sorted(reversed(found), key=lambda text: text.at)
        return texts, min(until, texts[-1].at) if number > self._limits.max_texts else until

    async def _select(self, page: Sequence[ListedText], began: datetime) -> list[ListedText]:
        """Return the texts of a page that are missing in the store, the newest first."""
        settled_at = began - timedelta(seconds=self._settle_seconds)
        old = [text for text in page if text.at <= settled_at or text.at < self._started_at]
        ids = {text.network_id: record_ids(self._via, text.network_id) for text in old}
        inbound = [text for text in old if text.is_inbound]
        outgoing = [text.network_id for text in old if not text.is_inbound and text.is_final]
        known: Collection[str] = ()
        own: Collection[str] = ()
        unsettled: Collection[str] = ()
        if inbound:
            own = await asyncio.to_thread(self._store.own, {text.recipient for text in inbound})
            wanted = [text for text in inbound if text.recipient in own]
            every = {one for text in wanted for one in ids[text.network_id]}
            known = await asyncio.to_thread(self._store.known, every) if every else ()
        if outgoing:
            unsettled = await asyncio.to_thread(self._store.unsettled, outgoing)
        return [
            text
            for text in old
            if (
                text.recipient in own and not any(one in known for one in ids[text.network_id])
                if text.is_inbound
                else text.network_id in unsettled
            )
        ]

    async def _take(self, texts: Sequence[ListedText], emit: Emit) -> None:
        """Offer texts in order; after a failure those of the same phone and number wait for the next round.

        Raises the first failure at the end.
        """
        failures: dict[tuple[str, str], Exception] = {}
        for text in texts:
            if self._stopping.is_set() or len(failures) >= self._limits.max_failures:
                break
            pair = (text.sender, text.recipient)
            if pair in failures:
                continue
            try:
                await self._take_one(text, emit)
            except Exception as error:
                failures[pair] = error
                log.warning("%s: a listed text is not taken: %s", self._via, reason_of(error))
        if failures:
            raise next(iter(failures.values()))

    async def _take_one(self, text: ListedText, emit: Emit) -> None:
        whole = await self._client.add_media(text) if text.media else text
        raw = whole.raw

        async def take(record: Received) -> None:
            await offer(emit, record, raw)

        await take_each(self._account.read(whole), take)
        self._taken += 1
