"""Posts the callbacks of the simulated Bandwidth: JSON arrays with Basic authentication, again until they are taken.

Bandwidth's pages "Messaging webhooks" and "Webhooks: authentication" (RFC 7235: credentials after a 401 that asks).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import httpx

ANSWER_SECONDS = 10.0
_HEADERS = {"User-Agent": "BandwidthAPI/v2", "Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One request to a callback URL and its result; `failure` is empty when it was taken."""

    url: str
    status: int | None = None
    failure: str = ""

    def as_json(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackHabits:
    """How callbacks are posted.

    `asks_first`: without credentials until they are asked for. `bare`: one event as an object, not an array (both are
    documented). Real callbacks come back for 24 hours; these `max_tries` times, `retry_seconds` apart.
    """

    username: str = ""
    password: str = ""
    asks_first: bool = True
    bare: bool = False
    answer_seconds: float = ANSWER_SECONDS
    retry_seconds: float = 5
    max_tries: int = 1


class Callbacks:
    """Posts events as one account does."""

    def __init__(self, habits: CallbackHabits) -> None:
        self.habits = habits
        self.requests = 0
        self._retrying: set[asyncio.Task[None]] = set()

    async def deliver(self, url: str, events: Sequence[dict[str, Any]]) -> list[Try]:
        """Post the events once and return the result; after a failure, post them again in the background."""
        first = await self._once(url, events)
        if first.failure and self.habits.max_tries > 1:
            task = asyncio.create_task(self._repeat(url, events))
            self._retrying.add(task)
            task.add_done_callback(self._retrying.discard)
        return [first]

    async def _repeat(self, url: str, events: Sequence[dict[str, Any]]) -> None:
        for _ in range(self.habits.max_tries - 1):
            await asyncio.sleep(self.habits.retry_seconds)
            if not (await self._once(url, events)).failure:
                return

    async def _once(self, url: str, events: Sequence[dict[str, Any]]) -> Try:
        self.requests += 1
        content: Any = events[0] if self.habits.bare and len(events) == 1 else list(events)
        try:
            async with (
                asyncio.timeout(self.habits.answer_seconds),
                httpx.AsyncClient(trust_env=False, timeout=None, headers=_HEADERS) as client,  # noqa: S113
            ):
                response = await self._post(client, url, content)
        except (httpx.TransportError, TimeoutError) as error:
            return Try(url=url, failure=type(error).__name__)
        failure = "" if response.is_success else str(response.status_code)
        return Try(url=url, status=response.status_code, failure=failure)

    async def _post(self, client: httpx.AsyncClient, url: str, content: Any) -> httpx.Response:
        habits = self.habits
        if not habits.username:
            return await client.post(url, json=content)
        known = httpx.BasicAuth(habits.username, habits.password)
        if not habits.asks_first:
            return await client.post(url, json=content, auth=known)
        response = await client.post(url, json=content)
        asked = response.headers.get("www-authenticate", "").lower().startswith("basic")
        if response.status_code == 401 and asked:
            return await client.post(url, json=content, auth=known)
        return response
