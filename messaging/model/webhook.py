"""Webhooks of all networks: the request, our answer, and the refusal."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

from pydantic import Field

T = TypeVar("T")

MAX_WEBHOOK_BYTES: Final = 16 * 1024 * 1024
"""The largest body that any account may take; each has a smaller limit of its own."""
WebhookBytes = Annotated[int, Field(gt=0, le=MAX_WEBHOOK_BYTES)]


class NotAuthentic(Exception):
    """The request does not prove that the provider made it. The text is for the log.

    `challenge` is the value of `WWW-Authenticate`, for clients that send their credentials after it only. The answer
    is 401 with a challenge and 403 without.
    """

    def __init__(self, reason: str, challenge: str = "") -> None:
        super().__init__(reason)
        self.challenge = challenge


@dataclass(frozen=True, slots=True)
class Webhook:
    """One request as it arrived: `path` and `query` raw as on the wire, header names in lower case."""

    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The response that the provider expects to an accepted webhook."""

    content: bytes = b""
    media_type: str = "text/plain"


async def take_each(items: Iterable[T], take: Callable[[T], Awaitable[None]]) -> None:
    """Process each item, also after a failure. Raises the first failure at the end."""
    failures: list[Exception] = []
    for item in items:
        try:
            await take(item)
        except Exception as error:
            failures.append(error)
    if failures:
        raise failures[0]
