"""Sends the mails of a simulated service to whoever takes them, as mail servers do: again until they are taken."""

import asyncio
import smtplib
from collections.abc import Coroutine, Sequence
from typing import Any, Final

from messaging.simulator.sbdmail.letters import AUTHOR
from messaging.simulator.shared.faults import Dice
from messaging.simulator.shared.pushes import Try

WAITS_SECONDS: Final = (60.0, 300.0, 900.0, 1800.0, 3600.0)
ANSWER_SECONDS: Final = 60.0
TAKEN: Final = 200


class Posts:
    """All mails of one service so far, to one listener (host:port of its SMTP server).

    A try that was taken has the status 200, as that of a webhook has; one that was refused the code of SMTP.
    """

    def __init__(self, dice: Dice, waits_seconds: Sequence[float]) -> None:
        self._dice = dice
        self._waits_seconds = waits_seconds
        self._repeating: set[asyncio.Task[None]] = set()
        self.tries: list[Try] = []

    @property
    def pending(self) -> int:
        """How many mails nobody has taken yet."""
        return len(self._repeating)

    async def offer(self, listener: str, recipient: str, content: bytes) -> Try:
        """Send a mail, twice when the faults say so; one that is put off comes again later, one refused does not."""
        first = await self._post(listener, recipient, content)
        if self._dice.happens(self._dice.faults.duplicate_rate):
            await self._post(listener, recipient, content)
        if _is_put_off(first):
            self._later(self._repeat(listener, recipient, content))
        return first

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        repeating = asyncio.create_task(work)
        self._repeating.add(repeating)
        repeating.add_done_callback(self._repeating.discard)

    async def _repeat(self, listener: str, recipient: str, content: bytes) -> None:
        for seconds in self._waits_seconds:
            await asyncio.sleep(seconds)
            if not _is_put_off(await self._post(listener, recipient, content)):
                return

    async def _post(self, listener: str, recipient: str, content: bytes) -> Try:
        found = await asyncio.to_thread(deliver, listener, recipient, content)
        self.tries.append(found)
        return found


def deliver(listener: str, recipient: str, content: bytes) -> Try:
    """Send one mail once. Blocking."""
    host, _, port = listener.rpartition(":")
    try:
        with smtplib.SMTP(host.strip("[]"), int(port), timeout=ANSWER_SECONDS) as client:
            client.sendmail(AUTHOR, [recipient], content)
    except smtplib.SMTPRecipientsRefused as error:
        return Try(status=error.recipients[recipient][0])
    except smtplib.SMTPResponseException as error:
        return Try(status=error.smtp_code)
    except (OSError, ValueError, smtplib.SMTPException) as error:
        return Try(failure=type(error).__name__)
    return Try(status=TAKEN)


def _is_put_off(found: Try) -> bool:
    return not found.taken and (found.status is None or found.status < 500)
