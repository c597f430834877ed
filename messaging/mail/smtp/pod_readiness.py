"""Keeps the label of the pod as it should be: on while mail is taken here, off otherwise."""

import asyncio
import contextlib
import logging

from messaging.errors import Unavailable
from messaging.mail.smtp.pod_label import LabelledPod, PodLabel
from messaging.sending.backoff import wait_seconds

log = logging.getLogger(__name__)


class PodReadiness:
    """One task that sets the label until it is so, and again every `recheck_seconds`. Belongs to an event loop.

    It begins closed: what a life before this one left behind is taken away until mail is taken again. A label that
    cannot be set is tried again for ever, and hinders nothing else.
    """

    def __init__(self, settings: PodLabel, pod: LabelledPod) -> None:
        self._settings = settings
        self._pod = pod
        self._wanted = False
        self._turned = asyncio.Event()
        self._closed = asyncio.Event()
        self._failures = 0
        self.state = "unknown"
        self._task = asyncio.get_running_loop().create_task(self._keep())

    def open(self) -> None:
        """Mail is taken from now on."""
        self._turn(True)

    def close(self) -> None:
        """Nobody new should be sent here."""
        self._turn(False)

    async def closed(self) -> bool:
        """Close, and wait until the label is gone, twice `timeout_seconds` at most; whether it is."""
        self.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * self._settings.timeout_seconds):
                await self._closed.wait()
        return self._closed.is_set()

    async def leave(self) -> None:
        """Close for good."""
        if not await self.closed():
            log.warning("the label of the pod could not be removed")
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def _turn(self, wanted: bool) -> None:
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._closed.clear()
        self._turned.set()

    async def _keep(self) -> None:
        while True:
            self._turned.clear()
            pause = await self._mark(self._wanted)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._turned.wait()

    async def _mark(self, wanted: bool) -> float:
        """Set the label once; returns after how many seconds to do so again."""
        try:
            await asyncio.to_thread(self._pod.mark, wanted)
        except Unavailable as error:
            return self._failed(error)
        self._failures = 0
        self._note("open" if wanted else "closed")
        if not wanted and not self._wanted:
            self._closed.set()
        return self._settings.recheck_seconds

    def _failed(self, error: Unavailable) -> float:
        self._note(f"failing: {error.reason}")
        self._failures += 1
        return wait_seconds(
            self._failures,
            self._settings.retry_seconds,
            self._settings.longest_retry_seconds,
            error.retry_after_seconds,
        )

    def _note(self, state: str) -> None:
        if state == self.state:
            return
        self.state = state
        level = logging.WARNING if state.startswith("failing") else logging.INFO
        log.log(level, "the label of this pod: %s", state)
