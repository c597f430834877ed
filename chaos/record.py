"""The record of the harness: every offered message with its token, recipient and text, and the time of its yes."""

import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

TOKEN = re.compile(r"\b[0-9a-f]{8}-[a-z]+-\d{5,7}\b")


class Direction(StrEnum):
    """The way in of a message, which decides where it has to arrive."""

    MAIL = "mail"  # over SMTP, for a device
    TEXT = "text"  # by webhook, for a device
    LETTER = "letter"  # from a device, for a mailbox
    NOTE = "note"  # from a device, for a phone


FILLER_LINES = 18
LONG_EVERY = 7


@dataclass(slots=True)
class Offer:
    """One message. `began_at` and `yes_at` are the times of the offer and of its yes, in monotonic seconds.

    `refused` is the text of a final refusal.

    `recipient` is the device, mailbox or phone where it has to arrive, and `text` the text to find there. None stands
    for any: the harness does not know how a poisoned text is displayed.
    """

    token: str
    way: Direction
    recipient: str | None = None
    text: str | None = None
    began_at: float = field(default_factory=time.monotonic)
    yes_at: float | None = None
    refused: str = ""
    is_deferred: bool = False
    packet: int | None = None

    @property
    def number(self) -> int:
        """The number of the message within its run."""
        return int(self.token.rpartition("-")[2])

    def compose(self) -> str:
        """Return the text to send, and expect it to arrive. Each seventh text for a device takes several packets.

        The token stands in every line, so each part of a long text can be told from those of others.
        """
        is_long = self.way in (Direction.MAIL, Direction.TEXT) and self.number % LONG_EVERY == 0
        lines = FILLER_LINES if is_long else 0
        self.text = " ".join(
            [f"{self.way} {self.token}", *(f"{self.token} {n}" for n in range(lines))]
        )
        return self.text


class Record:
    """All offers of one scenario; `run` begins each of their tokens. Safe to use from any thread."""

    def __init__(self, run: str) -> None:
        self.run = run
        self._lock = threading.Lock()
        self._offers: dict[str, Offer] = {}
        self.deferred: Counter[tuple[Direction, int]] = Counter()

    def offer(self, way: Direction, recipient: str | None = None) -> Offer:
        """Return a new message."""
        with self._lock:
            offer = Offer(f"{self.run}-{way}-{len(self._offers):05}", way, recipient)
            self._offers[offer.token] = offer
            return offer

    def later(self, offer: Offer, code: int) -> None:
        """Count a deferral of the message with this code; 0 when the connection broke."""
        with self._lock:
            offer.is_deferred = True
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
