"""The spool of a soak: offers, arrivals, deliveries and samples in a file, so that their number costs no memory."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from chaos.arrivals import Arrival
from chaos.judge import Judge, StoredMessage
from chaos.record import TOKEN, Direction, Offer

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
CREATE TABLE offers (
    token TEXT PRIMARY KEY, way TEXT, recipient TEXT, text TEXT, began_at REAL, yes_at REAL, refused TEXT
) WITHOUT ROWID;
CREATE TABLE arrivals (number INTEGER PRIMARY KEY, token TEXT, recipient TEXT, text TEXT, message_id TEXT);
CREATE INDEX arrivals_of_token ON arrivals (token);
CREATE TABLE deliveries (token TEXT, state TEXT, uncertain INTEGER);
CREATE INDEX deliveries_of_token ON deliveries (token);
CREATE TABLE samples (progress INTEGER, role TEXT, measure TEXT, value REAL);
CREATE INDEX samples_of_role ON samples (role, measure, progress);
"""


class Spool:
    """A context manager around the file. Safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._file.executescript(_TABLES)
        self.arrived = 0
        """The number of messages of which something arrived."""

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add_offer(self, offer: Offer) -> None:
        """Store an offer that changes no more."""
        row = (offer.token, offer.way.value, offer.recipient, offer.text, offer.began_at)
        with self._lock:
            self._file.execute(
                "INSERT INTO offers VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*row, offer.yes_at, offer.refused),
            )

    def add_arrival(self, arrival: Arrival, message_id: str = "") -> None:
        """Store an arrival, unless it has no token."""
        if not (match := TOKEN.search(arrival.text)):
            return
        with self._lock:
            known = "SELECT 1 FROM arrivals WHERE token = ? LIMIT 1"
            self.arrived += self._file.execute(known, (match[0],)).fetchone() is None
            self._file.execute(
                "INSERT INTO arrivals (token, recipient, text, message_id) VALUES (?, ?, ?, ?)",
                (match[0], arrival.recipient, arrival.text, message_id),
            )

    def add_deliveries(self, rows: Iterable[tuple[str, str, int]]) -> None:
        """Store the deliveries as the store of the gateway has them: token, state, uncertain attempts."""
        with self._lock:
            self._file.executemany("INSERT INTO deliveries VALUES (?, ?, ?)", rows)

    def add_sample(self, progress: int, role: str, measure: str, value: float) -> None:
        """Store one sample, taken when `progress` messages had been offered."""
        with self._lock:
            self._file.execute(
                "INSERT INTO samples VALUES (?, ?, ?, ?)", (progress, role, measure, value)
            )

    def series(self) -> list[tuple[str, str]]:
        """Return the roles and measures of which there are samples."""
        query = "SELECT DISTINCT role, measure FROM samples ORDER BY role, measure"
        with self._lock:
            return list(self._file.execute(query))

    def samples(self, role: str, measure: str) -> list[tuple[int, float]]:
        """Return the samples of one series, oldest first, with the progress of each."""
        query = "SELECT progress, value FROM samples WHERE role = ? AND measure = ? ORDER BY rowid"
        with self._lock:
            return list(self._file.execute(query, (role, measure)))

    def judge_all(self, judge: Judge) -> None:
        """Show every message to the judge, one at a time."""
        for offer in self._offers():
            judge.add(offer, self._arrivals_of(offer.token), self._stored(offer.token))

    def mails_with_two_ids(self) -> int:
        """Count the mails that came more than once and not under the same Message-ID."""
        query = (
            "SELECT count(*) FROM (SELECT token FROM arrivals WHERE message_id != ''"
            " GROUP BY token HAVING count(DISTINCT message_id) > 1)"
        )
        with self._lock:
            return int(self._file.execute(query).fetchone()[0])

    def count_states(self, way: Direction) -> dict[str, int]:
        """Return the number of deliveries of messages of this way in each state."""
        query = "SELECT state, count(*) FROM deliveries WHERE token LIKE ? GROUP BY state"
        with self._lock:
            return dict(self._file.execute(query, (f"%-{way}-%",)))

    def _offers(self) -> Iterator[Offer]:
        # A cursor of its own: the look-ups of `judge_all` run between its rows.
        query = "SELECT token, way, recipient, text, began_at, yes_at, refused FROM offers ORDER BY token"
        with closing(self._file.cursor()) as cursor:
            for token, way, recipient, text, began_at, yes_at, refused in cursor.execute(query):
                yield Offer(
                    token,
                    Direction(way),
                    recipient,
                    text,
                    began_at=began_at,
                    yes_at=yes_at,
                    refused=refused,
                )

    def _arrivals_of(self, token: str) -> list[Arrival]:
        query = "SELECT recipient, text FROM arrivals WHERE token = ? ORDER BY number"
        with self._lock:
            return [Arrival(*row) for row in self._file.execute(query, (token,))]

    def _stored(self, token: str) -> StoredMessage | None:
        query = "SELECT state, uncertain FROM deliveries WHERE token = ?"
        with self._lock:
            rows = self._file.execute(query, (token,)).fetchall()
        if not rows:
            return None
        return StoredMessage(tuple(state for state, _ in rows), any(times for _, times in rows))
