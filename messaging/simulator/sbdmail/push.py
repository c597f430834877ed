"""Sends the mails of a simulated service as mail servers do, and repeats them until they are accepted."""

import asyncio
import smtplib
from collections.abc import Sequence
from typing import Final

from messaging.simulator.sbdmail.wire import AUTHOR
from messaging.simulator.shared.faults import Dice
from messaging.simulator.shared.pushes import Repetitions, Try

WAITS_SECONDS: Final = (60.0, 300.0, 900.0, 1800.0, 3600.0)
ANSWER_SECONDS: Final = 60.0
TAKEN: Final = 200


class Posts:
    """All mails of one service so far, to one listener (host:port of its SMTP server).

    A successful try has the status 200, as one of a webhook has; a refused one has the code of SMTP.
    """

    def __init__(self, dice: Dice, waits_seconds: Sequence[float]) -> None:
        self._dice = dice
        self._waits_seconds = waits_seconds
        self._repetitions = Repetitions()
        self.tries: list[Try] = []

    @property
    def pending(self) -> int:
        """The number of mails that are not accepted yet."""
        return len(self._repetitions)

    async def offer(self, listener: str, recipient: str, content: bytes) -> Try:
        """Send a mail, twice by a fault; repeat a deferred mail in the background, but not a refused one."""
        first = await self._post(listener, recipient, content)
        if self._dice.happens(self._dice.faults.duplicate_rate):
            await self._post(listener, recipient, content)
        if _is_temporary(first):

            async def deliver() -> bool:
                return not _is_temporary(await self._post(listener, recipient, content))

            self._repetitions.start(self._waits_seconds, deliver)
        return first

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


def _is_temporary(found: Try) -> bool:
    return not found.is_accepted and (found.status is None or found.status < 500)
