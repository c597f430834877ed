"""The load of a soak: a given number of messages, never more than a bounded number of them on their way."""

import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count

import httpx

from chaos.gateway import TargetGateway
from chaos.load import MAIL_CONNECTIONS, UPLINK_PAUSE_SECONDS, Load
from chaos.record import Direction
from chaos.soak.record import SpooledRecord
from chaos.soak.spool import Spool

MAX_ON_THE_WAY = 2000
BACKLOG_PAUSE_SECONDS = 0.2
TEXT_SENDERS = 3
UPLINK_SENDERS = 4


class SoakLoad(Load):
    """Begins `messages` messages; `done` is set when that is done. It waits while too many are on their way."""

    def __init__(
        self, gateway: TargetGateway, record: SpooledRecord, spool: Spool, messages: int
    ) -> None:
        self.done = threading.Event()
        self._open_record = record
        self._spool = spool
        self._messages = messages
        self._numbers = count()
        self._turn = threading.Lock()
        super().__init__(gateway, record)

    def _jobs(self) -> list[Callable[[], None]]:
        mails, texts = [self._mails] * MAIL_CONNECTIONS, [self._texts] * TEXT_SENDERS
        return [*mails, *texts, *[self._uplinks] * UPLINK_SENDERS]

    def _begins(self, pause_seconds: float) -> bool:
        if self._stop.wait(pause_seconds):
            return False
        while self._open_record.begun - self._spool.arrived >= MAX_ON_THE_WAY:
            if self._stop.wait(BACKLOG_PAUSE_SECONDS):
                return False
        with self._turn:
            if next(self._numbers) < self._messages:
                return True
        self.done.set()
        return False

    def _uplinks(self) -> None:
        for number in count():
            if not self._begins(UPLINK_PAUSE_SECONDS):
                return
            offer = self._record.offer(Direction.LETTER if number % 2 else Direction.NOTE)
            # A simulator that does not answer in time has taken it or not: it counts as a message without a yes.
            with suppress(httpx.HTTPError):
                offer.packet = self._gateway.uplink_of(offer.number, offer)
