"""Posts the webhooks of a simulated provider, with a short time-out, and repeats them until they are accepted."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
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


class Repetitions:
    """Repeats deliveries in the background until they are accepted. Use it on one event loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """Return the number of deliveries that are not accepted yet."""
        return len(self._tasks)

    def start(self, waits_seconds: Iterable[float], deliver: Callable[[], Awaitable[bool]]) -> None:
        """Call `deliver` after each wait, until it returns True."""

        async def repeat() -> None:
            for seconds in waits_seconds:
                await asyncio.sleep(seconds)
                if await deliver():
                    return

        task = asyncio.create_task(repeat())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Pushes:
    """The webhooks of one provider: a time-out of `answer_seconds`, and repetitions after each of `waits_seconds`.

    `tries` are the results of all requests so far.
    """

    def __init__(self, dice: Dice, answer_seconds: float, waits_seconds: Sequence[float]) -> None:
        self._dice = dice
        self._answer_seconds = answer_seconds
        self._waits_seconds = waits_seconds
        self._repetitions = Repetitions()
        self.tries: list[Try] = []

    @property
    def pending(self) -> int:
        """The number of webhooks that are not accepted yet."""
        return len(self._repetitions)

    async def push(self, push: Push) -> Try:
        """Post once, or twice by a fault; repeat in the background until accepted."""
        first = await self._post(push)
        if self._dice.happens(self._dice.faults.duplicate_rate):
            await self._post(push)
        if not first.is_accepted:

            async def deliver() -> bool:
                return (await self._post(push)).is_accepted

            self._repetitions.start(self._waits_seconds, deliver)
        return first

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
