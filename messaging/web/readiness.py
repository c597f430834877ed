"""Whether the gateway accepts messages, asked at most once a second however many ask."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from messaging.errors import Rejected, Unavailable
from messaging.model.message import Address, Emit, Network, RecipientCheck
from messaging.streaming.api import StreamingError

NotReady = Callable[[], Awaitable[str | None]]
"""Returns in a few words why the gateway accepts nothing now; None when it accepts mail and webhooks."""

KEEP_SECONDS: Final = 1.0


class CachedReadiness:
    """Asks each of `questions` in turn, and keeps the first reason, or none, for `KEEP_SECONDS`.

    A question costs the lock of the store's writers, and strangers can ask too. For use within an event loop.
    """

    def __init__(
        self, *questions: NotReady, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._questions = questions
        self._monotonic = monotonic
        self._asking = asyncio.Lock()
        self._reason: str | None = None
        self._until = float("-inf")

    async def reason(self) -> str | None:
        """Return why the gateway is not ready; None when it is."""
        async with self._asking:
            if self._monotonic() >= self._until:
                found: str | None = None
                for question in self._questions:
                    if found := await question():
                        break
                self._reason = found
                self._until = self._monotonic() + KEEP_SECONDS
            return self._reason


def receiver_readiness(status: Callable[[], Awaitable[Mapping[str, Any]]], emit: Emit) -> NotReady:
    """Return the question whether mail-in accepts and the router reads the store.

    `status` returns the status of a mail-in; `emit` hands a record to the router. Both raise StreamingError.
    """

    async def not_ready() -> str | None:
        try:
            receiver = await status()
        except StreamingError:
            return "mail is not accepted: the receiver is starting"
        if receiver.get("draining"):
            return "draining"
        # A mailbox that cannot exist: a refusal proves that the router read the store.
        try:
            await emit(RecipientCheck(recipient=Address(Network.EMAIL, "@")))
        except Rejected:
            return None
        except Unavailable as error:
            return error.reason  # the router's own: it answers, and its store does not
        except StreamingError:
            return "the router does not answer"
        except Exception as error:
            return f"internal error ({type(error).__name__})"
        return None

    return not_ready
