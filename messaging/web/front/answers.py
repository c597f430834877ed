"""Plain answers that no page or webhook gives: refusals, and "later"."""

from collections.abc import Mapping, Sequence
from typing import Final

from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

RETRY_AFTER_SECONDS: Final = 30


def plain(status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a plain text answer."""
    return PlainTextResponse(words, status, headers=headers)


def later(seconds: float | None = None) -> Response:
    """Return 503 with the wait before the next try."""
    wait = str(max(1, round(seconds or RETRY_AFTER_SECONDS)))
    return plain(503, "try again later", {"Retry-After": wait})


def too_large() -> Response:
    """Return 413. The connection ends with it, because the rest of the body stays unread."""
    return plain(413, "too large", {"Connection": "close"})


def incomplete() -> Response:
    """Return 408, for a body that did not come in time."""
    return plain(408, "incomplete", {"Connection": "close"})


def not_allowed(methods: Sequence[str]) -> Response:
    """Return 405, which names the methods of the path."""
    return plain(405, "method not allowed", {"Allow": ", ".join(methods)})


class NotAllowed:
    """An ASGI application that answers 405. The route of a path for all methods that it does not have."""

    def __init__(self, methods: Sequence[str]) -> None:
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        await not_allowed(self._methods)(scope, receive, send)


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 404, as an ASGI application."""
    await plain(404, "not found")(scope, receive, send)
