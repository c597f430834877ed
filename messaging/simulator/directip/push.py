"""Delivers messages over DirectIP as Iridium's gateway does, and repeats them until they are accepted."""

import asyncio
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Final

from messaging.simulator.directip.wire import is_yes
from messaging.simulator.shared.faults import Dice
from messaging.simulator.shared.pushes import Repetitions, Try

WAITS_SECONDS: Final = (1, 5, 10, 20, 30, 60, 120, 240, 360)
MAX_AGE_SECONDS: Final = 12 * 3600
MAX_ANSWER_BYTES: Final = 1024
TAKEN: Final = 200


def waits(speed: float = 1) -> Iterator[float]:
    """Yield the waits before each repetition, divided by `speed`, until a message is 12 hours old."""
    age = 0.0
    for seconds in chain(WAITS_SECONDS, repeat(WAITS_SECONDS[-1])):
        age += seconds
        if age > MAX_AGE_SECONDS:
            return
        yield seconds / speed


class Calls:
    """All connections so far. With `confirms` a message is accepted by its confirmation, else when it is written.

    A successful try has the status 200, as one of a webhook has.
    """

    def __init__(self, dice: Dice, *, confirms: bool, answer_seconds: float, speed: float) -> None:
        self._dice = dice
        self._confirms = confirms
        self._answer_seconds = answer_seconds
        self._speed = speed
        self._repetitions = Repetitions()
        self.tries: list[Try] = []

    @property
    def pending(self) -> int:
        """The number of messages that are not accepted yet."""
        return len(self._repetitions)

    async def offer(self, address: str, frame: bytes, piece_bytes: int) -> Try:
        """Deliver a frame in pieces, twice by a fault; repeat in the background until accepted."""
        first = await self._call(address, frame, piece_bytes)
        if self._dice.happens(self._dice.faults.duplicate_rate):
            await self._call(address, frame, piece_bytes)
        if not first.is_accepted:

            async def deliver() -> bool:
                return (await self._call(address, frame, piece_bytes)).is_accepted

            self._repetitions.start(waits(self._speed), deliver)
        return first

    async def _call(self, address: str, frame: bytes, piece_bytes: int) -> Try:
        try:
            async with asyncio.timeout(self._answer_seconds):
                is_accepted = await self._deliver(address, frame, piece_bytes)
        except (OSError, ValueError) as error:
            found = Try(failure=type(error).__name__)
        else:
            found = Try(status=TAKEN) if is_accepted else Try(failure="not confirmed")
        self.tries.append(found)
        return found

    async def _deliver(self, address: str, frame: bytes, piece_bytes: int) -> bool:
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        try:
            for at in range(0, len(frame), piece_bytes):
                writer.write(frame[at : at + piece_bytes])
                await writer.drain()
                await asyncio.sleep(0)
            return is_yes(await reader.read(MAX_ANSWER_BYTES)) if self._confirms else True
        finally:
            writer.close()
