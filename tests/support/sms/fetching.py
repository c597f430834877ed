"""A fetcher beside a simulated Twilio, and a store in memory that answers what it is told."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from messaging.simulator.shared.serving import Serving
from messaging.simulator.twilio.server import InboundText, TwilioSimulator
from messaging.simulator.twilio.state import MAX_PAGE_SIZE
from messaging.sms.fetcher import ROUND_LIMITS, RoundLimits, SmsFetcher
from messaging.sms.providers.twilio.account import TwilioAccount
from tests.support.closed_port import closed_port
from tests.support.sms.twilio_gateway import OURS, PHONE, SID, TOKEN, Router


@dataclass
class MemoryStore:
    """Knows the ids that a router stored; every number is a subscriber's, unless `strangers` has it."""

    router: Router
    mark: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(hours=1))
    strangers: frozenset[str] = frozenset()
    waiting: set[str] = field(default_factory=set)
    is_forgetful: bool = False
    failures: list[Exception] = field(default_factory=list)

    def since(self) -> datetime:
        if self.failures:
            raise self.failures.pop()
        return self.mark

    def known(self, ids: Collection[str]) -> set[str]:
        return set() if self.is_forgetful else set(ids) & self.router.stored.keys()

    def own(self, numbers: Collection[str]) -> set[str]:
        return set(numbers) - self.strangers

    def unsettled(self, network_ids: Collection[str]) -> set[str]:
        return set(network_ids) & self.waiting

    def advance(self, until: datetime) -> None:
        self.mark = max(self.mark, until)


@dataclass
class Lease:
    """The turn of an account."""

    is_valid: bool = True
    releases: int = 0

    def acquire(self) -> bool:
        return self.is_valid

    def release(self) -> None:
        self.releases += 1


@contextmanager
def twilio_without_gateway(
    max_page_size: int = MAX_PAGE_SIZE,
) -> Iterator[tuple[TwilioSimulator, TwilioAccount]]:
    """Serve a Twilio whose webhooks meet a closed port, and an account there that is asked often."""
    with closed_port() as nowhere:
        simulator = TwilioSimulator(
            SID, TOKEN, webhook_url=f"{nowhere}/sms/twilio", max_page_size=max_page_size
        )
        with Serving(simulator.app) as served:
            account = TwilioAccount(
                account_sid=SID,
                auth_token=TOKEN,
                api_url=served.url,
                fetch_minutes=0.001,
                timeout_seconds=5,
            )
            yield simulator, account


async def phone_texts(simulator: TwilioSimulator, body: str, **more: object) -> str:
    """Let a phone text the gateway, which is away; return the id of the text."""
    inbound = InboundText.model_validate({"from": PHONE, "to": OURS, "body": body, **more})
    tries = await simulator.receive(inbound)
    assert tries[-1].failure
    return simulator.incoming_texts()[-1].sid


@asynccontextmanager
async def fetching(
    account: TwilioAccount,
    store: MemoryStore,
    lease: Lease | None = None,
    limits: RoundLimits = ROUND_LIMITS,
) -> AsyncIterator[SmsFetcher]:
    fetcher = SmsFetcher(
        account, "twilio", store, lease or Lease(), settle_seconds=0, limits=limits
    )
    running = asyncio.create_task(fetcher.run(store.router.emit))
    try:
        yield fetcher
    finally:
        async with asyncio.timeout(20):
            await fetcher.drain()
            await running
