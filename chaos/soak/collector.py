"""Collects the arrivals of a soak while it runs, and the deliveries at its end, into the spool."""

import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from types import TracebackType

import httpx

from chaos.arrivals import Arrival
from chaos.gateway import TargetGateway
from chaos.judge import FINAL
from chaos.load import mark_taken
from chaos.record import TOKEN
from chaos.soak.record import SpooledRecord
from chaos.soak.spool import Spool
from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.satellite.codecs.protobuf import display_of
from messaging.store.db.connection import close_connection, open_store

ROUND_SECONDS = 2.0
CHUNK_ROWS = 2000


class Collector:
    """A context manager: reads the networks every two seconds, and once more at its exit."""

    def __init__(self, gateway: TargetGateway, record: SpooledRecord, spool: Spool) -> None:
        self._gateway, self._record, self._spool = gateway, record, spool
        self._last_packet = 0
        self._texts = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.last_arrival_at = time.monotonic()

    def __enter__(self) -> "Collector":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self.collect()

    @property
    def waiting_uplinks(self) -> int:
        """The number of uplinks that were not seen acknowledged."""
        return sum(offer.packet is not None for offer in self._record.offers)

    def collect(self) -> None:
        """Move what arrived since the last call to the spool, and note the yes of uplinks."""
        before = self._spool.arrived
        self._collect_downlinks()
        self._collect_mails()
        self._collect_texts()
        mark_taken(self._gateway, self._record)
        if self._spool.arrived > before:
            self.last_arrival_at = time.monotonic()

    def _run(self) -> None:
        while not self._stop.wait(ROUND_SECONDS):
            # A simulator on a busy machine may answer late; the next round reads the same.
            with suppress(httpx.HTTPError):
                self.collect()

    def _collect_downlinks(self) -> None:
        query = {"after": self._last_packet}
        answer = httpx.get(f"{self._gateway.hive}/sim/downlinks", params=query, timeout=60)
        for packet in answer.json():
            for _, text in display_of(b64decode(packet["data"])):
                self._spool.add_arrival(Arrival(str(packet["device"]), text))
            self._last_packet = packet["packetId"]

    def _collect_mails(self) -> None:
        received = self._gateway.sink.received
        mails = received[:]
        # The server appends meanwhile; the front is ours.
        del received[: len(mails)]
        for mail in mails:
            message = mail.message
            body = message.get_body(("plain",))
            text = body.get_content() if body else ""
            for to in mail.recipients:
                self._spool.add_arrival(Arrival(to, text), str(message["Message-ID"]))

    def _collect_texts(self) -> None:
        query = {"after": self._texts}
        answer = httpx.get(f"{self._gateway.twilio}/sim/messages", params=query, timeout=60)
        for text in answer.json():
            self._texts += 1
            if text["direction"] == "outbound-api":
                self._spool.add_arrival(Arrival(str(text["to"]), str(text["body"])))


def count_open_deliveries(gateway: TargetGateway) -> int:
    """Return the number of deliveries in the store that are in no final state."""
    _open(gateway)
    from messaging.store.models import Delivery

    try:
        return Delivery.objects.exclude(state__in=FINAL).count()
    finally:
        close_connection()


def collect_deliveries(gateway: TargetGateway, run: str, spool: Spool) -> None:
    """Copy the state of every delivery of this run from the store to the spool, by token."""
    _open(gateway)
    try:
        rows = _deliveries(run)
        while chunk := list(islice(rows, CHUNK_ROWS)):
            spool.add_deliveries(chunk)
    finally:
        close_connection()


def _deliveries(run: str) -> Iterator[tuple[str, str, int]]:
    from messaging.store.models import Delivery

    columns = ("id", "message__subject", "message__text", "state", "uncertain")
    last = 0
    # By id instead of by a cursor: Django reads the whole result of SQLite into memory otherwise.
    while True:
        found = Delivery.objects.filter(id__gt=last).order_by("id").values_list(*columns)
        rows = list(found[:CHUNK_ROWS])
        if not rows:
            return
        last = rows[-1][0]
        for _, subject, text, state, uncertain in rows:
            match = TOKEN.search(f"{subject} {text}")
            if match and match[0].startswith(run):
                yield match[0], state, uncertain


def _open(gateway: TargetGateway) -> None:
    open_store(read(Settings, database_url=gateway.database_url, state_dir=gateway.folder))
