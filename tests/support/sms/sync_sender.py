"""An SMS sender as the pipeline runs it, and a provider's client, for tests without an event loop of their own."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

from messaging.model.message import Delivery, Outcome
from messaging.sending.sender import SenderOperator
from messaging.sms.account import SmsAccount
from messaging.sms.sender import SmsSender
from tests.support.begins import MemoryBegins
from tests.support.send_deliveries import outcomes_of

T = TypeVar("T")


class SyncSender:
    """Runs everything on one event loop, to which the connections belong."""

    def __init__(self, account: SmsAccount, public_url: str = "") -> None:
        self.operator = SenderOperator(partial(SmsSender, account, public_url), MemoryBegins)
        self._runner = asyncio.Runner()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def send(self, *deliveries: Delivery) -> list[Outcome]:
        """Return the outcomes, in the order of the deliveries that have one."""
        return self.run(outcomes_of(self.operator, *deliveries))

    def close(self) -> None:
        self.run(self.operator.close())
        self._runner.close()


def check(account: SmsAccount, public_url: str = "", *, times: int = 1) -> str:
    """Check the account over one client, and return what it says the last time."""

    async def run() -> str:
        provider = account.connect(public_url)
        try:
            return [await provider.check() for _ in range(times)][-1]
        finally:
            await provider.aclose()

    return asyncio.run(run())
