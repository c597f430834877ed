"""What every webhook is, whatever kind of network calls us: the request, our answer, and the refusal."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


class NotAuthentic(Exception):
    """The request does not prove that the provider made it, so nothing in it counts. The text is for the log.

    `challenge` is the value of `WWW-Authenticate`, for those that only then send their credentials: the answer is
    401 with it and 403 without.
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
    """What the provider wants to read after a webhook was taken."""

    content: bytes = b""
    media_type: str = "text/plain"


async def take_each(things: Iterable[T], take: Callable[[T], Awaitable[None]]) -> None:
    """Take one after another; one that fails does not keep back the others. Raises the first failure at the end."""
    failures: list[Exception] = []
    for thing in things:
        try:
            await take(thing)
        except Exception as error:
            failures.append(error)
    if failures:
        raise failures[0]
