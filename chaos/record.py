"""The record of the harness: every offered message, by a unique token in its text, with the time of its yes."""

import re
import threading
import time
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

TOKEN = re.compile(r"\b[0-9a-f]{8}-[a-z]+-\d{5}\b")


class Direction(StrEnum):
    """The way in of a message, which decides where it has to arrive."""

    MAIL = "mail"  # over SMTP, for a device
    TEXT = "text"  # by webhook, for a device
    LETTER = "letter"  # from a device, for a mailbox
    NOTE = "note"  # from a device, for a phone


@dataclass(slots=True)
class Offer:
    """One message. `yes_at` is the time of the yes (monotonic seconds); `refused` is the text of a final refusal."""

    token: str
    way: Direction
    yes_at: float | None = None
    refused: str = ""
    packet: int | None = None


class Record:
    """All offers of one scenario; `run` begins each of their tokens. Safe to use from any thread."""

    def __init__(self, run: str) -> None:
        self.run = run
        self._lock = threading.Lock()
        self._offers: dict[str, Offer] = {}
        self.deferred: Counter[tuple[Direction, int]] = Counter()

    def offer(self, way: Direction) -> Offer:
        """Return a new message."""
        with self._lock:
            offer = Offer(f"{self.run}-{way}-{len(self._offers):05}", way)
            self._offers[offer.token] = offer
            return offer

    def later(self, offer: Offer, code: int) -> None:
        """Count a deferral of the message with this code; 0 when the connection broke."""
        with self._lock:
            self.deferred[offer.way, code] += 1

    def yes(self, offer: Offer) -> None:
        """Note that the gateway said yes to the message."""
        offer.yes_at = offer.yes_at or time.monotonic()

    @property
    def offers(self) -> list[Offer]:
        """Return every message so far."""
        with self._lock:
            return list(self._offers.values())

    def longest_gap_seconds(self, began: float, ended: float) -> float:
        """Return the longest time within the load without a yes on one way in (mail, webhooks)."""
        return max(self._gap(way, began, ended) for way in (Direction.MAIL, Direction.TEXT))

    def _gap(self, way: Direction, began: float, ended: float) -> float:
        times = sorted(o.yes_at for o in self.offers if o.yes_at is not None and o.way is way)
        marks = [began, *(moment for moment in times if began <= moment <= ended), ended]
        return max(b - a for a, b in pairwise(marks))
