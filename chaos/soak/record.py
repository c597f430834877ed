"""The record of a soak: it keeps open offers in memory, and moves each to the spool with its yes."""

import time

from chaos.record import Direction, Offer, Record
from chaos.soak.spool import Spool


class SpooledRecord(Record):
    """A record whose `offers` are those without a yes. `begun` is the number of all offers so far."""

    def __init__(self, run: str, spool: Spool) -> None:
        super().__init__(run)
        self._spool = spool
        self._last_yes: dict[Direction, float] = {}
        self.begun = 0
        self.longest_gap = 0.0
        """The longest time without a yes on one way in (mail, webhooks), in seconds."""

    def offer(self, way: Direction, recipient: str | None = None) -> Offer:
        """Return a new message."""
        with self._lock:
            offer = Offer(f"{self.run}-{way}-{self.begun:05}", way, recipient)
            self._offers[offer.token] = offer
            self.begun += 1
            return offer

    def yes(self, offer: Offer) -> None:
        """Note that the gateway said yes to the message, and forget it."""
        super().yes(offer)
        with self._lock:
            if self._offers.pop(offer.token, None) is None:
                return
            self._note_gap(offer.way)
        self._spool.add_offer(offer)

    def close(self) -> None:
        """Move the offers without a yes to the spool."""
        with self._lock:
            left, self._offers = list(self._offers.values()), {}
        for offer in left:
            self._spool.add_offer(offer)

    def _note_gap(self, way: Direction) -> None:
        if way in (Direction.MAIL, Direction.TEXT):
            now = time.monotonic()
            self.longest_gap = max(self.longest_gap, now - self._last_yes.get(way, now))
            self._last_yes[way] = now
