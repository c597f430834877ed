"""Digests and notes that several processes write at once: one digest, and no more notes than a day may have."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from messaging.store.accept.router import Router
from messaging.store.db.connection import close_connection
from messaging.store.models import Message as Stored
from messaging.store.models import Subscriber
from messaging.store.notices.digest import Digests
from messaging.store.notices.held_note import MAX_DAILY_NOTES
from tests.support.store import records as g
from tests.support.store.mailboxes import hold_for_mailbox, stranger
from tests.support.store.records import Gateway

PROCESSES = 3


def at_once(work: Callable[[int], object]) -> None:
    """Run the work in several threads, each with a connection of its own, at the same moment."""
    ready = Barrier(PROCESSES)

    def run(number: int) -> None:
        ready.wait()
        try:
            work(number)
        finally:
            close_connection()

    with ThreadPoolExecutor(PROCESSES) as pool:
        list(pool.map(run, range(PROCESSES)))


@pytest.mark.postgres
def test_one_of_several_processes_writes_the_digest(postgres_gateway: Gateway) -> None:
    gateway = postgres_gateway
    hold_for_mailbox(gateway)
    gateway.router.process([stranger("a")])
    gateway.clock.turn(86_400)
    at_once(lambda _: Digests(gateway.settings, g.VIAS, gateway.clock).turn())
    assert Stored.objects.filter(mail_kind="digest").count() == 1


@pytest.mark.postgres
def test_several_routers_send_no_more_notes_than_a_day_may_have(postgres_gateway: Gateway) -> None:
    gateway = postgres_gateway
    Subscriber.objects.update(senders="known")

    def process(router: int) -> None:
        mails = [
            stranger(f"{router} {n}", f"{author}@far.example", "likely")
            for n, author in enumerate(["same", *(f"{router}-{n}" for n in range(15))])
        ]
        Router(gateway.settings, g.VIAS, now=gateway.clock).process(mails)

    at_once(process)
    recipients = Stored.objects.filter(mail_kind="held-note").values_list("recipient", flat=True)
    assert len(recipients) == MAX_DAILY_NOTES
    assert list(recipients).count("same@far.example") == 1
