"""Posts the webhooks of a simulated provider, with a short time-out, and repeats them until they are accepted."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

from messaging.simulator.shared.faults import Dice


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One webhook. `checks_certificate` is false where the provider can be set to trust every certificate."""

    url: str
    content: bytes
    media_type: str
    headers: dict[str, str] = field(default_factory=dict)
    checks_certificate: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """The result of one request: its status, or the reason why there is none."""

    status: int | None = None
    failure: str = ""

    @property
    def is_accepted(self) -> bool:
        """Whether the provider may delete the message."""
        return self.status == 200

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {**asdict(self), "taken": self.is_accepted}


class Pushes:
    """The webhooks of one provider: a time-out of `answer_seconds`, and repetitions after each of `waits_seconds`.

    `tries` are the results of all requests so far.
    """

    def __init__(self, dice: Dice, answer_seconds: float, waits_seconds: Sequence[float]) -> None:
        self._dice = dice
        self._answer_seconds = answer_seconds
        self._waits_seconds = waits_seconds
        self._repeating: set[asyncio.Task[None]] = set()
        self.tries: list[Try] = []

    @property
    def pending(self) -> int:
        """The number of webhooks that are not accepted yet."""
        return len(self._repeating)

    async def push(self, push: Push) -> Try:
        """Post once, or twice by a fault; repeat in the background until accepted."""
        first = await self._post(push)
        if self._dice.happens(self._dice.faults.duplicate_rate):
            await self._post(push)
        if not first.is_accepted:
            repeating = asyncio.create_task(self._repeat(push))
            self._repeating.add(repeating)
            repeating.add_done_callback(self._repeating.discard)
        return first

    async def _repeat(self, push: Push) -> None:
        for seconds in self._waits_seconds:
            await asyncio.sleep(seconds)
            if (await self._post(push)).is_accepted:
                return

    async def _post(self, push: Push) -> Try:
        found = await self._answer(push)
        self.tries.append(found)
        return found

    async def _answer(self, push: Push) -> Try:
        headers = {"Content-Type": push.media_type, **push.headers}
        try:
            async with (
                asyncio.timeout(self._answer_seconds),
                httpx.AsyncClient(trust_env=False, verify=push.checks_certificate) as client,
            ):
                answer = await client.post(push.url, content=push.content, headers=headers)
        except (httpx.HTTPError, TimeoutError) as error:
            return Try(failure=type(error).__name__)
        return Try(status=answer.status_code)
